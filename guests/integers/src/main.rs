//! Bodies that attract each other, in fixed point: signed multiplications, divisions and square roots, without floats.
#![no_std]
#![no_main]

// The panic handler.
use guest as _;
use polkavm_derive::polkavm_export;

/// Numbers are in units of 2^-16.
const SHIFT: u32 = 16;

/// Added to each squared distance, so that no two bodies come too close to divide by it.
const SOFTENING: i64 = 1 << SHIFT;

/// Steps in a unit of time, as a shift.
const STEP: u32 = 6;

#[derive(Clone, Copy)]
struct Body {
    position: [i64; 3],
    velocity: [i64; 3],
    mass: i64,
}

const fn body(position: [i64; 3], velocity: [i64; 3], mass: i64) -> Body {
    Body { position, velocity, mass }
}

/// A heavy body and four that go round it.
const BODIES: [Body; 5] = [
    body([0, 0, 0], [0, 0, 0], 1_310_720),
    body([327_680, 0, 6_553], [0, 131_072, 0], 6_553),
    body([0, -655_360, -3_276], [92_681, 0, 1_310], 13_107),
    body([-983_040, 65_536, 0], [-6_553, -75_366, 655], 3_276),
    body([131_072, 1_310_720, 16_384], [-65_536, 3_276, 0], 1_638),
];

/// Lets the bodies move for `steps` steps; gives a checksum of where they are then and how fast.
#[polkavm_export]
fn simulate(steps: u64) -> u64 {
    let mut bodies = BODIES;
    for _ in 0..steps {
        attract(&mut bodies);
        for body in &mut bodies {
            for axis in 0..3 {
                body.position[axis] = body.position[axis].wrapping_add(body.velocity[axis] >> STEP);
            }
        }
    }
    checksum(&bodies)
}

/// Changes velocities by the pull of each pair.
fn attract(bodies: &mut [Body]) {
    for first in 1..bodies.len() {
        let (before, from) = bodies.split_at_mut(first);
        let this = &mut from[0];
        for other in before {
            let mut difference = [0; 3];
            let mut square = SOFTENING;
            for axis in 0..3 {
                difference[axis] = other.position[axis].wrapping_sub(this.position[axis]);
                square = square.wrapping_add(multiply(difference[axis], difference[axis]));
            }
            // One over the cube of the distance, times 2^SHIFT; bodies that are lost in the distance pull little.
            let distance = root(square.unsigned_abs() << SHIFT) as i64;
            let cube = multiply(square, distance).max(1);
            for axis in 0..3 {
                let pull = (difference[axis] << SHIFT).wrapping_div(cube);
                this.velocity[axis] = this.velocity[axis].wrapping_add(multiply(pull, other.mass) >> STEP);
                other.velocity[axis] = other.velocity[axis].wrapping_sub(multiply(pull, this.mass) >> STEP);
            }
        }
    }
}

fn multiply(a: i64, b: i64) -> i64 {
    a.wrapping_mul(b) >> SHIFT
}

/// The square root, rounded down, bit by bit.
fn root(number: u64) -> u64 {
    let (mut rest, mut root) = (number, 0);
    let mut bit = 1 << 62;
    while bit > 0 {
        if rest >= root + bit {
            rest -= root + bit;
            root = (root >> 1) + bit;
        } else {
            root >>= 1;
        }
        bit >>= 2;
    }
    root
}

/// FNV-1a over all numbers, 64 bits at a time.
fn checksum(bodies: &[Body]) -> u64 {
    let numbers = bodies.iter().flat_map(|body| body.position.into_iter().chain(body.velocity));
    numbers.fold(0xcbf2_9ce4_8422_2325, |hash, number| (hash ^ number as u64).wrapping_mul(0x100_0000_01b3))
}
