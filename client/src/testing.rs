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
/// Where an `UpstreamExt` is registered, nobody gets at the manager in it. Registering a new one in its place does the same:
/// `ext.register_extension(UpstreamExt::default())`.
///
/// # Panics
/// If no [`VirtManagerExt`] is registered.
pub fn next_block(extensions: &mut Extensions) {
    let extension = extensions.get_mut(TypeId::of::<VirtManagerExt>());
    let Some(extension) = extension.and_then(|extension| extension.downcast_mut::<VirtManagerExt>()) else {
        panic!(
            "no VirtManagerExt is registered in these externalities; in the place of an UpstreamExt register a new one"
        )
    };
    extension.0.next_block();
}
