/* A host whose standard error is gone, as that of a service can be: what is logged is lost, and nothing else happens. */
#define _POSIX_C_SOURCE 200809L
#include <signal.h>
#include <unistd.h>

#include "check.h"

int main(void) {
    int ends[2];
    SAME(pipe(ends), 0);
    /* Nobody reads it. Writing fails, instead of ending the process, as in Python and Go. */
    signal(SIGPIPE, SIG_IGN);
    close(ends[0]);
    dup2(ends[1], 2);
    pvm_vm_t *vm = pvm_create(0, CALL, sizeof CALL, RETURN_REGS, CALL_BITS, sizeof CALL_BITS, NULL, 0, 100);
    CHECK(vm != NULL);
    SAME(pvm_set_logging(vm, 1), PVM_STATUS_OK);
    SAME(pvm_set_tracing(vm, 1), PVM_STATUS_OK);
    SAME(pvm_execute(vm, 0, 0), PVM_RESULT_HOST_CALL);
    SAME(pvm_resume(vm), PVM_RESULT_OK);
    SAME(pvm_get_register(vm, 7), 1);
    pvm_destroy(vm);
    return finish();
}
