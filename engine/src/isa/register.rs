//! The thirteen registers.

/// A register of the machine, in the order of its number in an instruction.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
#[expect(missing_docs, reason = "the names are those of the RISC-V calling convention")]
pub enum Reg {
    RA = 0,
    SP = 1,
    T0 = 2,
    T1 = 3,
    T2 = 4,
    S0 = 5,
    S1 = 6,
    A0 = 7,
    A1 = 8,
    A2 = 9,
    A3 = 10,
    A4 = 11,
    A5 = 12,
}

impl Reg {
    /// All registers in order.
    pub const ALL: [Self; 13] = [
        Self::RA,
        Self::SP,
        Self::T0,
        Self::T1,
        Self::T2,
        Self::S0,
        Self::S1,
        Self::A0,
        Self::A1,
        Self::A2,
        Self::A3,
        Self::A4,
        Self::A5,
    ];

    /// The registers that carry the arguments of a call, in order: `a0` to `a5`, then `t0` to `t2`.
    pub const ARGUMENTS: [Self; 9] =
        [Self::A0, Self::A1, Self::A2, Self::A3, Self::A4, Self::A5, Self::T0, Self::T1, Self::T2];

    /// The register with this number, or `None` from 13 on.
    pub const fn new(number: u8) -> Option<Self> {
        if number < 13 { Some(Self::ALL[number as usize]) } else { None }
    }

    /// The register that a nibble of an instruction names: 13 to 15 mean A5.
    #[inline]
    pub const fn from_nibble(nibble: u8) -> Self {
        const REGISTERS: [Reg; 16] = {
            let mut registers = [Reg::A5; 16];
            let mut number = 0;
            while number < Reg::ALL.len() {
                registers[number] = Reg::ALL[number];
                number += 1;
            }
            registers
        };
        REGISTERS[(nibble & 15) as usize]
    }

    /// The name in assembly text.
    pub const fn name(self) -> &'static str {
        ["ra", "sp", "t0", "t1", "t2", "s0", "s1", "a0", "a1", "a2", "a3", "a4", "a5"][self as usize]
    }
}

impl core::fmt::Display for Reg {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::Reg;

    #[test]
    fn numbers_and_nibbles() {
        for (number, reg) in Reg::ALL.into_iter().enumerate() {
            assert_eq!(reg as usize, number);
            assert_eq!(Reg::new(number as u8), Some(reg));
            assert_eq!(Reg::from_nibble(number as u8), reg);
        }
        assert_eq!(Reg::new(13), None);
        for nibble in 13..16 {
            assert_eq!(Reg::from_nibble(nibble), Reg::A5);
        }
    }
}
