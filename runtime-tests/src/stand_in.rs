//! Until `hatchery-client` is here: upstream's manager behind Hatchery's backend trait.

use hatchery_primitives as hp;
use sp_virtualization::VirtManagerBackend as _;

/// Stand-in.
#[derive(Default)]
pub struct VirtManager(sc_virtualization::VirtManager);

fn code<E: Into<i32>, F: TryFrom<i32>>(error: E) -> F {
    F::try_from(error.into()).ok().expect("same numbers")
}

fn bytes(key: hp::CacheKey<'_>) -> Vec<u8> {
    match key {
        hp::CacheKey::Identifier(key) | hp::CacheKey::MainTrie(key) => [b"m", key].concat(),
        hp::CacheKey::ChildTrie { child_trie, storage_key } => {
            [b"c", &(child_trie.len() as u32).to_le_bytes()[..], child_trie, storage_key].concat()
        }
    }
}

impl hp::VirtManagerBackend for VirtManager {
    fn compile(
        &mut self,
        program: &[u8],
        key: Option<hp::CacheKey<'_>>,
    ) -> Result<hp::ModuleId, hp::ModuleError> {
        let key = key.map(bytes);
        self.0.compile_from_bytes(program, key.as_deref()).map(|id| u32::from(id).into()).map_err(code)
    }
    fn lookup(&mut self, key: hp::CacheKey<'_>) -> Result<hp::ModuleId, hp::ModuleError> {
        self.0.lookup(&bytes(key)).map(|id| u32::from(id).into()).map_err(code)
    }
    fn instantiate(&mut self, id: hp::ModuleId) -> Result<hp::InstanceId, hp::InstantiateError> {
        self.0.instantiate(u32::from(id).into()).map(|id| u32::from(id).into()).map_err(code)
    }
    fn prepare(&mut self, id: hp::InstanceId, function: &[u8]) -> Result<(), hp::ExecError> {
        self.0.prepare(u32::from(id).into(), function).map_err(code)
    }
    fn run(
        &mut self,
        id: hp::InstanceId,
        gas: i64,
        a0: u64,
        buffer: &mut hp::ExecBuffer,
    ) -> Result<hp::ExecStatus, hp::ExecError> {
        let (status, b) = self.0.run(u32::from(id).into(), gas, a0).map_err(code)?;
        *buffer = hp::ExecBuffer {
            gas_left: b.gas_left,
            syscall_symbol: hp::SyscallSymbol::new(b.syscall_symbol.as_ref()).unwrap(),
            a0: b.a0,
            a1: b.a1,
            a2: b.a2,
            a3: b.a3,
            a4: b.a4,
            a5: b.a5,
        };
        Ok(match status {
            sp_virtualization::ExecStatus::Finished => hp::ExecStatus::Finished,
            sp_virtualization::ExecStatus::Syscall => hp::ExecStatus::Syscall,
        })
    }
    fn destroy(&mut self, id: hp::InstanceId) -> Result<(), hp::DestroyError> {
        self.0.destroy(u32::from(id).into()).map_err(code)
    }
    fn read_memory(&mut self, id: hp::InstanceId, at: u32, dest: &mut [u8]) -> Result<(), hp::MemoryError> {
        self.0.read_memory(u32::from(id).into(), at, dest).map_err(code)
    }
    fn write_memory(&mut self, id: hp::InstanceId, at: u32, src: &[u8]) -> Result<(), hp::MemoryError> {
        self.0.write_memory(u32::from(id).into(), at, src).map_err(code)
    }
}
