//! For tests of pallets.

use hatchery_primitives::VirtManagerExt;
use sp_externalities::Extensions;
use std::any::TypeId;

/// Forgets all modules, identifiers and instances, as between two blocks of a chain.
///
/// A node gives each block a manager of its own. In a test one lasts as long as its externalities, so that a program
/// that one "block" compiled is `Cached` in the next, unless this is called between them:
///
/// ```
/// # use hatchery_client::{VirtManager, testing};
/// # use hatchery_primitives::VirtManagerExt;
/// let mut ext = sp_io::TestExternalities::default();
/// ext.register_extension(VirtManagerExt::new(VirtManager::default()));
/// ext.execute_with(|| { /* block 1 */ });
/// testing::next_block(&mut ext.extensions);
/// ext.execute_with(|| { /* block 2 */ });
/// ```
///
/// # Panics
/// If no manager is registered.
pub fn next_block(extensions: &mut Extensions) {
    let extension = extensions.get_mut(TypeId::of::<VirtManagerExt>());
    let extension = extension.and_then(|extension| extension.downcast_mut::<VirtManagerExt>());
    extension.expect("a VirtManagerExt is registered in these externalities").0.next_block();
}
