//! A deterministic engine for PolkaVM and JAM programs.
