//! What holds between what is stored, always.
