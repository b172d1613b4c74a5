//! Three nested loops: products of matrices of integers.

use crate::{Numbers, mix};
use alloc::vec::Vec;

/// Rows, and columns.
const SIZE: usize = 64;

/// Multiplies two matrices, and the product with the second again, `times` times in all.
#[must_use]
pub fn run(times: u64) -> u64 {
    let mut left: Vec<u64> = Numbers::new(1).take(SIZE * SIZE).collect();
    let right: Vec<u64> = Numbers::new(2).take(SIZE * SIZE).collect();
    let mut product = Vec::with_capacity(SIZE * SIZE);
    for _ in 0..times {
        product.clear();
        for row in left.chunks_exact(SIZE) {
            for column in 0..SIZE {
                let factors = row.iter().zip(right[column..].iter().step_by(SIZE));
                let sum = factors.fold(0u64, |sum, (a, b)| sum.wrapping_add(a.wrapping_mul(*b)));
                product.push(sum);
            }
        }
        core::mem::swap(&mut left, &mut product);
    }
    left.iter().fold(0, |checksum, number| mix(checksum, *number))
}
