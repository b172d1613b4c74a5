//! Tests over a mock runtime.
