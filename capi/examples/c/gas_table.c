/* Prints what the blocks of a program cost, with their instructions.
 *
 *     gas_table ../programs/pages.pvm
 */
#include "common.h"

int main(int argc, char **argv) {
    size_t length;
    pvm_config_t config;
    pvm_module_t *module;
    if (argc < 2) {
        fprintf(stderr, "usage: %s PROGRAM\n", argv[0]);
        return 2;
    }
    uint8_t *program = read_file(argv[1], &length);
    check(pvm_config_init(&config, sizeof config, PVM_PROFILE_GRAY_PAPER_0_8), "configuration");
    check(pvm_module_from_raw(&config, program, length, &module), argv[1]);

    size_t count = pvm_module_blocks(module, NULL, 0);
    pvm_block_t *blocks = malloc(count * sizeof *blocks);
    pvm_module_info_t info;
    check(pvm_module_info(module, &info), "info");
    pvm_module_blocks(module, blocks, count);
    for (size_t i = 0; i < count; i++) {
        uint32_t pc = blocks[i].pc, end = i + 1 < count ? blocks[i + 1].pc : info.code_length;
        printf("@%x: %u gas\n", pc, blocks[i].cost);
        while (pc < end) {
            char text[120];
            check(pvm_module_disassemble(module, pc, text, sizeof text, NULL, &pc), "disassemble");
            printf("    %s\n", text);
        }
    }
    free(blocks);
    pvm_module_release(module);
    free(program);
    return 0;
}
