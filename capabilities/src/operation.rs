//! The operations of the machine: `ecalli` with these numbers.

/// What a program asks the machine for. Its number is the immediate of `ecalli`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Operation {
    /// Ends the call.
    Reply = 0,
    /// Copies a capability to another slot.
    Copy = 1,
    /// Moves a capability to another slot.
    Move = 2,
    /// Empties a slot.
    Drop = 3,
    /// Exchanges what two slots hold.
    Swap = 4,
    /// Makes an empty node.
    MintCNode = 5,
    /// Stops until a caller, or the embedder, has dealt with a marker.
    Yield = 16,
    /// Becomes an instance of another image.
    SetImage = 17,
    /// Makes an instance.
    DeriveSpawn = 18,
    /// Makes an image.
    MakeImage = 19,
    /// Compares what two instances are instances of.
    SameType = 20,
    /// Makes a type from an instance.
    TypeOf = 21,
    /// Reads data into memory.
    ReadData = 22,
    /// Makes data from memory.
    MintData = 23,
    /// Makes data from a file.
    Open = 24,
    /// Makes a file from data.
    Save = 25,
    /// Calls an instance.
    Call = 26,
}

/// The first number that means nothing to the machine and is offered to the embedder.
pub const FIRST_EMBEDDER_OPERATION: u32 = 27;

impl Operation {
    /// All of them, by number.
    pub const ALL: [Self; 17] = [
        Self::Reply,
        Self::Copy,
        Self::Move,
        Self::Drop,
        Self::Swap,
        Self::MintCNode,
        Self::Yield,
        Self::SetImage,
        Self::DeriveSpawn,
        Self::MakeImage,
        Self::SameType,
        Self::TypeOf,
        Self::ReadData,
        Self::MintData,
        Self::Open,
        Self::Save,
        Self::Call,
    ];

    /// The operation with this number; none for 6 to 15 and from 27 on.
    pub const fn from_number(number: u32) -> Option<Self> {
        match number {
            0..=5 => Some(Self::ALL[number as usize]),
            16..=26 => Some(Self::ALL[number as usize - 10]),
            _ => None,
        }
    }

    /// Its number.
    pub const fn number(self) -> u32 {
        self as u32
    }

    /// The name by which guests import it.
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Reply => "cap_reply",
            Self::Copy => "cap_copy",
            Self::Move => "cap_move",
            Self::Drop => "cap_drop",
            Self::Swap => "cap_swap",
            Self::MintCNode => "cap_mint_cnode",
            Self::Yield => "cap_yield",
            Self::SetImage => "cap_set_image",
            Self::DeriveSpawn => "cap_derive_spawn",
            Self::MakeImage => "cap_make_image",
            Self::SameType => "cap_same_type",
            Self::TypeOf => "cap_type_of",
            Self::ReadData => "cap_read_data",
            Self::MintData => "cap_mint_data",
            Self::Open => "cap_open",
            Self::Save => "cap_save",
            Self::Call => "cap_call",
        }
    }
}

/// The number that a guest must import this symbol as; none if any from 27 on will do.
pub(crate) fn number_of(symbol: &str) -> Option<u32> {
    Operation::ALL.into_iter().find(|operation| operation.symbol() == symbol).map(Operation::number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_the_reference() {
        let numbers: Vec<u32> = Operation::ALL.into_iter().map(Operation::number).collect();
        assert_eq!(numbers, [0, 1, 2, 3, 4, 5, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26]);
        for number in 0..100 {
            let operation = Operation::from_number(number);
            assert_eq!(operation.is_some(), numbers.contains(&number));
            assert!(operation.is_none_or(|operation| operation.number() == number));
            assert!(operation.is_none_or(|operation| number_of(operation.symbol()) == Some(number)));
        }
    }
}
