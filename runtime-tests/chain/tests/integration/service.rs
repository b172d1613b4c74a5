//! The service of a node, as far as Hatchery has to do with it. `docs/integration.md` shows what is new in it.

use crate::node::Full as Client;
use hatchery_client::{ConsensusConstants, VirtExtensionFactory};
use sc_executor::WasmExecutor;
use std::sync::Arc;

/// The host functions that runtimes find.
pub(crate) type HostFunctions = hatchery_client::HostFunctions;

/// Makes the parts of the node that everything else needs.
pub(crate) fn new_partial(genesis: &[(&[u8], Vec<u8>)]) -> Arc<Client> {
    let executor = WasmExecutor::<HostFunctions>::builder().with_max_runtime_instances(2).build();
    let client = Arc::new(Client::new(genesis, executor));
    client.execution_extensions().set_extensions_factory(VirtExtensionFactory::new(ConsensusConstants::v1()));
    client
}
