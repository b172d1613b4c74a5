//! The list of operations: what each name means is in `handlers`.

/// Calls the macro `$user` with the kinds of operations: those that are instructions, those that are not, and the fused ones.
///
/// The row of a fused one says what it makes longer by which operation, and the handlers of all its parts. `Then` does one after
/// the other. `Chain` does so, too, where the one before writes what is the first source of the next: that value is handed on in a
/// register of the processor. Of two with the same parts the one with the chain comes first.
///
/// They were chosen by how often guests execute them: see `docs/engine.md` and `examples/frequencies.rs`.
macro_rules! for_each_kind {
    ($user:ident) => {
        $user! {
            instructions {
                Trap Fallthrough Memset Unlikely Ecalli LoadImm64 StoreImmU8 StoreImmU16 StoreImmU32
                StoreImmU64 Jump JumpIndirect LoadImm LoadU8 LoadI8 LoadU16 LoadI16 LoadU32 LoadI32
                LoadU64 StoreU8 StoreU16 StoreU32 StoreU64 StoreImmIndirectU8 StoreImmIndirectU16
                StoreImmIndirectU32 StoreImmIndirectU64 LoadImmAndJump BranchEqImm BranchNotEqImm
                BranchLessUnsignedImm BranchLessOrEqualUnsignedImm BranchGreaterOrEqualUnsignedImm
                BranchGreaterUnsignedImm BranchLessSignedImm BranchLessOrEqualSignedImm
                BranchGreaterOrEqualSignedImm BranchGreaterSignedImm MoveReg Sbrk CountSetBits64
                CountSetBits32 CountLeadingZeroBits64 CountLeadingZeroBits32 CountTrailingZeroBits64
                CountTrailingZeroBits32 SignExtend8 SignExtend16 ZeroExtend16 ReverseByte
                StoreIndirectU8 StoreIndirectU16 StoreIndirectU32 StoreIndirectU64 LoadIndirectU8
                LoadIndirectI8 LoadIndirectU16 LoadIndirectI16 LoadIndirectU32 LoadIndirectI32
                LoadIndirectU64 AddImm32 AndImm XorImm OrImm MulImm32 SetLessThanUnsignedImm
                SetLessThanSignedImm ShiftLogicalLeftImm32 ShiftLogicalRightImm32
                ShiftArithmeticRightImm32 NegateAndAddImm32 SetGreaterThanUnsignedImm
                SetGreaterThanSignedImm ShiftLogicalLeftImmAlt32 ShiftLogicalRightImmAlt32
                ShiftArithmeticRightImmAlt32 CmovIfZeroImm CmovIfNotZeroImm AddImm64 MulImm64
                ShiftLogicalLeftImm64 ShiftLogicalRightImm64 ShiftArithmeticRightImm64
                NegateAndAddImm64 ShiftLogicalLeftImmAlt64 ShiftLogicalRightImmAlt64
                ShiftArithmeticRightImmAlt64 RotateRightImm64 RotateRightImmAlt64 RotateRightImm32
                RotateRightImmAlt32 BranchEq BranchNotEq BranchLessUnsigned BranchLessSigned
                BranchGreaterOrEqualUnsigned BranchGreaterOrEqualSigned LoadImmAndJumpIndirect Add32
                Sub32 Mul32 DivUnsigned32 DivSigned32 RemUnsigned32 RemSigned32 ShiftLogicalLeft32
                ShiftLogicalRight32 ShiftArithmeticRight32 Add64 Sub64 Mul64 DivUnsigned64
                DivSigned64 RemUnsigned64 RemSigned64 ShiftLogicalLeft64 ShiftLogicalRight64
                ShiftArithmeticRight64 And Xor Or MulUpperSignedSigned MulUpperUnsignedUnsigned
                MulUpperSignedUnsigned SetLessThanUnsigned SetLessThanSigned CmovIfZero
                CmovIfNotZero RotateLeft64 RotateLeft32 RotateRight64 RotateRight32 AndInverted
                OrInverted Xnor Maximum MaximumUnsigned Minimum MinimumUnsigned
            }
            others {
                /// The same with 32-bit registers.
                MulUpperSignedSigned32
                /// The same with 32-bit registers.
                MulUpperUnsignedUnsigned32
                /// The same with 32-bit registers.
                MulUpperSignedUnsigned32
                /// The same with 32-bit registers.
                ReverseByte32
                /// Enters a block: charges `x` gas or stops.
                Charge
                /// As `Charge`, of nothing: makes a `FarJump` look like a block to what jumps there.
                Stub
                /// Goes to the block at pc `y`, in another region, the `x`-th of the program.
                FarJump
                /// Traps; `x` is the [`TrapKind`](crate::exit::TrapKind).
                Fail
            }
            fused {
                Add64_into_Add64 = Add64 (Chain Add64) [Add64 (Chain Add64)];
                Add64_Add64 = Add64 (Then Add64) [Add64 (Then Add64)];
                Add64_AddImm64 = Add64 (Then AddImm64) [Add64 (Then AddImm64)];
                Add64_And = Add64 (Then And) [Add64 (Then And)];
                Add64_BranchNotEq = Add64 (Then BranchNotEq) [Add64 (Then BranchNotEq)];
                Add64_into_LoadIndirectU64 = Add64 (Chain LoadIndirectU64) [Add64 (Chain LoadIndirectU64)];
                Add64_LoadIndirectU64 = Add64 (Then LoadIndirectU64) [Add64 (Then LoadIndirectU64)];
                Add64_into_LoadIndirectU8 = Add64 (Chain LoadIndirectU8) [Add64 (Chain LoadIndirectU8)];
                Add64_MinimumUnsigned = Add64 (Then MinimumUnsigned) [Add64 (Then MinimumUnsigned)];
                Add64_into_RotateRightImm32 = Add64 (Chain RotateRightImm32) [Add64 (Chain RotateRightImm32)];
                Add64_RotateRightImm32 = Add64 (Then RotateRightImm32) [Add64 (Then RotateRightImm32)];
                Add64_into_SetLessThanUnsigned = Add64 (Chain SetLessThanUnsigned) [Add64 (Chain SetLessThanUnsigned)];
                Add64_ShiftLogicalRightImm64 = Add64 (Then ShiftLogicalRightImm64) [Add64 (Then ShiftLogicalRightImm64)];
                Add64_StoreIndirectU16 = Add64 (Then StoreIndirectU16) [Add64 (Then StoreIndirectU16)];
                Add64_into_StoreIndirectU64 = Add64 (Chain StoreIndirectU64) [Add64 (Chain StoreIndirectU64)];
                Add64_StoreIndirectU8 = Add64 (Then StoreIndirectU8) [Add64 (Then StoreIndirectU8)];
                Add64_Sub64 = Add64 (Then Sub64) [Add64 (Then Sub64)];
                AddImm64_into_Add64 = AddImm64 (Chain Add64) [AddImm64 (Chain Add64)];
                AddImm64_Add64 = AddImm64 (Then Add64) [AddImm64 (Then Add64)];
                AddImm64_AddImm64 = AddImm64 (Then AddImm64) [AddImm64 (Then AddImm64)];
                AddImm64_into_BranchEq = AddImm64 (Chain BranchEq) [AddImm64 (Chain BranchEq)];
                AddImm64_into_BranchLessUnsigned = AddImm64 (Chain BranchLessUnsigned) [AddImm64 (Chain BranchLessUnsigned)];
                AddImm64_BranchLessUnsigned = AddImm64 (Then BranchLessUnsigned) [AddImm64 (Then BranchLessUnsigned)];
                AddImm64_BranchNotEqImm = AddImm64 (Then BranchNotEqImm) [AddImm64 (Then BranchNotEqImm)];
                AddImm64_JumpIndirect = AddImm64 (Then JumpIndirect) [AddImm64 (Then JumpIndirect)];
                AddImm64_LoadImmAndJump = AddImm64 (Then LoadImmAndJump) [AddImm64 (Then LoadImmAndJump)];
                AddImm64_LoadIndirectU64 = AddImm64 (Then LoadIndirectU64) [AddImm64 (Then LoadIndirectU64)];
                AddImm64_MoveReg = AddImm64 (Then MoveReg) [AddImm64 (Then MoveReg)];
                AddImm64_Mul64 = AddImm64 (Then Mul64) [AddImm64 (Then Mul64)];
                AddImm64_ShiftLogicalLeftImm64 = AddImm64 (Then ShiftLogicalLeftImm64) [AddImm64 (Then ShiftLogicalLeftImm64)];
                AddImm64_ShiftLogicalRightImm64 = AddImm64 (Then ShiftLogicalRightImm64) [AddImm64 (Then ShiftLogicalRightImm64)];
                AddImm64_StoreIndirectU64 = AddImm64 (Then StoreIndirectU64) [AddImm64 (Then StoreIndirectU64)];
                AddImm64_Xor = AddImm64 (Then Xor) [AddImm64 (Then Xor)];
                AddImm64_XorImm = AddImm64 (Then XorImm) [AddImm64 (Then XorImm)];
                And_And = And (Then And) [And (Then And)];
                And_into_Or = And (Chain Or) [And (Chain Or)];
                And_ShiftLogicalRightImm64 = And (Then ShiftLogicalRightImm64) [And (Then ShiftLogicalRightImm64)];
                And_into_Xor = And (Chain Xor) [And (Chain Xor)];
                And_Xor = And (Then Xor) [And (Then Xor)];
                AndImm_LoadImm = AndImm (Then LoadImm) [AndImm (Then LoadImm)];
                AndInverted_And = AndInverted (Then And) [AndInverted (Then And)];
                LoadImm_AddImm64 = LoadImm (Then AddImm64) [LoadImm (Then AddImm64)];
                LoadImm_BranchLessUnsigned = LoadImm (Then BranchLessUnsigned) [LoadImm (Then BranchLessUnsigned)];
                LoadImm_into_BranchNotEq = LoadImm (Chain BranchNotEq) [LoadImm (Chain BranchNotEq)];
                LoadIndirectU64_into_Add64 = LoadIndirectU64 (Chain Add64) [LoadIndirectU64 (Chain Add64)];
                LoadIndirectU64_Add64 = LoadIndirectU64 (Then Add64) [LoadIndirectU64 (Then Add64)];
                LoadIndirectU64_AddImm64 = LoadIndirectU64 (Then AddImm64) [LoadIndirectU64 (Then AddImm64)];
                LoadIndirectU64_into_And = LoadIndirectU64 (Chain And) [LoadIndirectU64 (Chain And)];
                LoadIndirectU64_into_BranchEq = LoadIndirectU64 (Chain BranchEq) [LoadIndirectU64 (Chain BranchEq)];
                LoadIndirectU64_LoadIndirectU64 = LoadIndirectU64 (Then LoadIndirectU64) [LoadIndirectU64 (Then LoadIndirectU64)];
                LoadIndirectU64_into_LoadIndirectU8 = LoadIndirectU64 (Chain LoadIndirectU8) [LoadIndirectU64 (Chain LoadIndirectU8)];
                LoadIndirectU64_into_Mul64 = LoadIndirectU64 (Chain Mul64) [LoadIndirectU64 (Chain Mul64)];
                LoadIndirectU64_Mul64 = LoadIndirectU64 (Then Mul64) [LoadIndirectU64 (Then Mul64)];
                LoadIndirectU64_into_MulUpperUnsignedUnsigned = LoadIndirectU64 (Chain MulUpperUnsignedUnsigned) [LoadIndirectU64 (Chain MulUpperUnsignedUnsigned)];
                LoadIndirectU64_into_Or = LoadIndirectU64 (Chain Or) [LoadIndirectU64 (Chain Or)];
                LoadIndirectU64_SetLessThanUnsigned = LoadIndirectU64 (Then SetLessThanUnsigned) [LoadIndirectU64 (Then SetLessThanUnsigned)];
                LoadIndirectU64_into_ShiftLogicalLeftImm64 = LoadIndirectU64 (Chain ShiftLogicalLeftImm64) [LoadIndirectU64 (Chain ShiftLogicalLeftImm64)];
                LoadIndirectU64_into_ShiftLogicalRightImm64 = LoadIndirectU64 (Chain ShiftLogicalRightImm64) [LoadIndirectU64 (Chain ShiftLogicalRightImm64)];
                LoadIndirectU64_into_StoreIndirectU64 = LoadIndirectU64 (Chain StoreIndirectU64) [LoadIndirectU64 (Chain StoreIndirectU64)];
                LoadIndirectU64_StoreIndirectU64 = LoadIndirectU64 (Then StoreIndirectU64) [LoadIndirectU64 (Then StoreIndirectU64)];
                LoadIndirectU64_Sub64 = LoadIndirectU64 (Then Sub64) [LoadIndirectU64 (Then Sub64)];
                LoadIndirectU64_into_Xor = LoadIndirectU64 (Chain Xor) [LoadIndirectU64 (Chain Xor)];
                LoadIndirectU8_AddImm64 = LoadIndirectU8 (Then AddImm64) [LoadIndirectU8 (Then AddImm64)];
                LoadIndirectU8_into_BranchNotEqImm = LoadIndirectU8 (Chain BranchNotEqImm) [LoadIndirectU8 (Chain BranchNotEqImm)];
                LoadIndirectU8_LoadIndirectU64 = LoadIndirectU8 (Then LoadIndirectU64) [LoadIndirectU8 (Then LoadIndirectU64)];
                MinimumUnsigned_ShiftLogicalLeftImm64 = MinimumUnsigned (Then ShiftLogicalLeftImm64) [MinimumUnsigned (Then ShiftLogicalLeftImm64)];
                MoveReg_BranchLessUnsigned = MoveReg (Then BranchLessUnsigned) [MoveReg (Then BranchLessUnsigned)];
                MoveReg_BranchNotEq = MoveReg (Then BranchNotEq) [MoveReg (Then BranchNotEq)];
                MoveReg_BranchNotEqImm = MoveReg (Then BranchNotEqImm) [MoveReg (Then BranchNotEqImm)];
                MoveReg_LoadImmAndJump = MoveReg (Then LoadImmAndJump) [MoveReg (Then LoadImmAndJump)];
                MoveReg_LoadIndirectU64 = MoveReg (Then LoadIndirectU64) [MoveReg (Then LoadIndirectU64)];
                MoveReg_MoveReg = MoveReg (Then MoveReg) [MoveReg (Then MoveReg)];
                MoveReg_RotateRightImm32 = MoveReg (Then RotateRightImm32) [MoveReg (Then RotateRightImm32)];
                MoveReg_StoreIndirectU64 = MoveReg (Then StoreIndirectU64) [MoveReg (Then StoreIndirectU64)];
                Mul64_into_Add64 = Mul64 (Chain Add64) [Mul64 (Chain Add64)];
                Mul64_LoadIndirectU64 = Mul64 (Then LoadIndirectU64) [Mul64 (Then LoadIndirectU64)];
                Mul64_Mul64 = Mul64 (Then Mul64) [Mul64 (Then Mul64)];
                Mul64_into_ShiftArithmeticRightImm64 = Mul64 (Chain ShiftArithmeticRightImm64) [Mul64 (Chain ShiftArithmeticRightImm64)];
                Mul64_into_ShiftLogicalRightImm64 = Mul64 (Chain ShiftLogicalRightImm64) [Mul64 (Chain ShiftLogicalRightImm64)];
                Mul64_into_StoreIndirectU64 = Mul64 (Chain StoreIndirectU64) [Mul64 (Chain StoreIndirectU64)];
                MulImm64_into_StoreIndirectU64 = MulImm64 (Chain StoreIndirectU64) [MulImm64 (Chain StoreIndirectU64)];
                MulUpperUnsignedUnsigned_into_Add64 = MulUpperUnsignedUnsigned (Chain Add64) [MulUpperUnsignedUnsigned (Chain Add64)];
                MulUpperUnsignedUnsigned_LoadIndirectU64 = MulUpperUnsignedUnsigned (Then LoadIndirectU64) [MulUpperUnsignedUnsigned (Then LoadIndirectU64)];
                MulUpperUnsignedUnsigned_MulUpperUnsignedUnsigned = MulUpperUnsignedUnsigned (Then MulUpperUnsignedUnsigned) [MulUpperUnsignedUnsigned (Then MulUpperUnsignedUnsigned)];
                MulUpperUnsignedUnsigned_into_StoreIndirectU64 = MulUpperUnsignedUnsigned (Chain StoreIndirectU64) [MulUpperUnsignedUnsigned (Chain StoreIndirectU64)];
                MulUpperUnsignedUnsigned_StoreIndirectU64 = MulUpperUnsignedUnsigned (Then StoreIndirectU64) [MulUpperUnsignedUnsigned (Then StoreIndirectU64)];
                Or_LoadIndirectU64 = Or (Then LoadIndirectU64) [Or (Then LoadIndirectU64)];
                Or_RotateRightImm32 = Or (Then RotateRightImm32) [Or (Then RotateRightImm32)];
                Or_ShiftLogicalRightImm64 = Or (Then ShiftLogicalRightImm64) [Or (Then ShiftLogicalRightImm64)];
                Or_into_StoreIndirectU64 = Or (Chain StoreIndirectU64) [Or (Chain StoreIndirectU64)];
                RotateRightImm32_MoveReg = RotateRightImm32 (Then MoveReg) [RotateRightImm32 (Then MoveReg)];
                RotateRightImm32_RotateRightImm32 = RotateRightImm32 (Then RotateRightImm32) [RotateRightImm32 (Then RotateRightImm32)];
                RotateRightImm32_into_Xor = RotateRightImm32 (Chain Xor) [RotateRightImm32 (Chain Xor)];
                SetLessThanUnsigned_into_Add64 = SetLessThanUnsigned (Chain Add64) [SetLessThanUnsigned (Chain Add64)];
                SetLessThanUnsigned_Add64 = SetLessThanUnsigned (Then Add64) [SetLessThanUnsigned (Then Add64)];
                SetLessThanUnsigned_LoadIndirectU64 = SetLessThanUnsigned (Then LoadIndirectU64) [SetLessThanUnsigned (Then LoadIndirectU64)];
                SetLessThanUnsigned_SetLessThanUnsigned = SetLessThanUnsigned (Then SetLessThanUnsigned) [SetLessThanUnsigned (Then SetLessThanUnsigned)];
                SetLessThanUnsigned_ShiftLogicalRightImm64 = SetLessThanUnsigned (Then ShiftLogicalRightImm64) [SetLessThanUnsigned (Then ShiftLogicalRightImm64)];
                SetLessThanUnsigned_StoreIndirectU64 = SetLessThanUnsigned (Then StoreIndirectU64) [SetLessThanUnsigned (Then StoreIndirectU64)];
                SetLessThanUnsigned_into_Sub64 = SetLessThanUnsigned (Chain Sub64) [SetLessThanUnsigned (Chain Sub64)];
                SetLessThanUnsigned_Sub64 = SetLessThanUnsigned (Then Sub64) [SetLessThanUnsigned (Then Sub64)];
                ShiftArithmeticRightImm64_LoadIndirectU64 = ShiftArithmeticRightImm64 (Then LoadIndirectU64) [ShiftArithmeticRightImm64 (Then LoadIndirectU64)];
                ShiftLogicalLeftImm64_into_Add64 = ShiftLogicalLeftImm64 (Chain Add64) [ShiftLogicalLeftImm64 (Chain Add64)];
                ShiftLogicalLeftImm64_AddImm64 = ShiftLogicalLeftImm64 (Then AddImm64) [ShiftLogicalLeftImm64 (Then AddImm64)];
                ShiftLogicalLeftImm64_Fallthrough = ShiftLogicalLeftImm64 (Then Fallthrough) [ShiftLogicalLeftImm64 (Then Fallthrough)];
                ShiftLogicalLeftImm64_LoadIndirectU64 = ShiftLogicalLeftImm64 (Then LoadIndirectU64) [ShiftLogicalLeftImm64 (Then LoadIndirectU64)];
                ShiftLogicalLeftImm64_into_Or = ShiftLogicalLeftImm64 (Chain Or) [ShiftLogicalLeftImm64 (Chain Or)];
                ShiftLogicalLeftImm64_ShiftLogicalLeftImm64 = ShiftLogicalLeftImm64 (Then ShiftLogicalLeftImm64) [ShiftLogicalLeftImm64 (Then ShiftLogicalLeftImm64)];
                ShiftLogicalLeftImm64_into_StoreIndirectU64 = ShiftLogicalLeftImm64 (Chain StoreIndirectU64) [ShiftLogicalLeftImm64 (Chain StoreIndirectU64)];
                ShiftLogicalRightImm32_LoadIndirectU64 = ShiftLogicalRightImm32 (Then LoadIndirectU64) [ShiftLogicalRightImm32 (Then LoadIndirectU64)];
                ShiftLogicalRightImm32_into_Xor = ShiftLogicalRightImm32 (Chain Xor) [ShiftLogicalRightImm32 (Chain Xor)];
                ShiftLogicalRightImm64_into_Add64 = ShiftLogicalRightImm64 (Chain Add64) [ShiftLogicalRightImm64 (Chain Add64)];
                ShiftLogicalRightImm64_LoadIndirectU64 = ShiftLogicalRightImm64 (Then LoadIndirectU64) [ShiftLogicalRightImm64 (Then LoadIndirectU64)];
                ShiftLogicalRightImm64_SetLessThanUnsigned = ShiftLogicalRightImm64 (Then SetLessThanUnsigned) [ShiftLogicalRightImm64 (Then SetLessThanUnsigned)];
                ShiftLogicalRightImm64_ShiftLogicalLeftImm64 = ShiftLogicalRightImm64 (Then ShiftLogicalLeftImm64) [ShiftLogicalRightImm64 (Then ShiftLogicalLeftImm64)];
                ShiftLogicalRightImm64_StoreIndirectU64 = ShiftLogicalRightImm64 (Then StoreIndirectU64) [ShiftLogicalRightImm64 (Then StoreIndirectU64)];
                ShiftLogicalRightImm64_Sub64 = ShiftLogicalRightImm64 (Then Sub64) [ShiftLogicalRightImm64 (Then Sub64)];
                StoreImmIndirectU64_StoreImmIndirectU64 = StoreImmIndirectU64 (Then StoreImmIndirectU64) [StoreImmIndirectU64 (Then StoreImmIndirectU64)];
                StoreIndirectU16_Mul64 = StoreIndirectU16 (Then Mul64) [StoreIndirectU16 (Then Mul64)];
                StoreIndirectU64_Add64 = StoreIndirectU64 (Then Add64) [StoreIndirectU64 (Then Add64)];
                StoreIndirectU64_AddImm64 = StoreIndirectU64 (Then AddImm64) [StoreIndirectU64 (Then AddImm64)];
                StoreIndirectU64_And = StoreIndirectU64 (Then And) [StoreIndirectU64 (Then And)];
                StoreIndirectU64_AndInverted = StoreIndirectU64 (Then AndInverted) [StoreIndirectU64 (Then AndInverted)];
                StoreIndirectU64_BranchEqImm = StoreIndirectU64 (Then BranchEqImm) [StoreIndirectU64 (Then BranchEqImm)];
                StoreIndirectU64_BranchGreaterOrEqualUnsigned = StoreIndirectU64 (Then BranchGreaterOrEqualUnsigned) [StoreIndirectU64 (Then BranchGreaterOrEqualUnsigned)];
                StoreIndirectU64_LoadIndirectU64 = StoreIndirectU64 (Then LoadIndirectU64) [StoreIndirectU64 (Then LoadIndirectU64)];
                StoreIndirectU64_MoveReg = StoreIndirectU64 (Then MoveReg) [StoreIndirectU64 (Then MoveReg)];
                StoreIndirectU64_Mul64 = StoreIndirectU64 (Then Mul64) [StoreIndirectU64 (Then Mul64)];
                StoreIndirectU64_MulImm64 = StoreIndirectU64 (Then MulImm64) [StoreIndirectU64 (Then MulImm64)];
                StoreIndirectU64_MulUpperUnsignedUnsigned = StoreIndirectU64 (Then MulUpperUnsignedUnsigned) [StoreIndirectU64 (Then MulUpperUnsignedUnsigned)];
                StoreIndirectU64_RotateRightImm32 = StoreIndirectU64 (Then RotateRightImm32) [StoreIndirectU64 (Then RotateRightImm32)];
                StoreIndirectU64_SetLessThanUnsigned = StoreIndirectU64 (Then SetLessThanUnsigned) [StoreIndirectU64 (Then SetLessThanUnsigned)];
                StoreIndirectU64_ShiftLogicalLeftImm64 = StoreIndirectU64 (Then ShiftLogicalLeftImm64) [StoreIndirectU64 (Then ShiftLogicalLeftImm64)];
                StoreIndirectU64_ShiftLogicalRightImm32 = StoreIndirectU64 (Then ShiftLogicalRightImm32) [StoreIndirectU64 (Then ShiftLogicalRightImm32)];
                StoreIndirectU64_ShiftLogicalRightImm64 = StoreIndirectU64 (Then ShiftLogicalRightImm64) [StoreIndirectU64 (Then ShiftLogicalRightImm64)];
                StoreIndirectU64_StoreIndirectU64 = StoreIndirectU64 (Then StoreIndirectU64) [StoreIndirectU64 (Then StoreIndirectU64)];
                StoreIndirectU64_Sub64 = StoreIndirectU64 (Then Sub64) [StoreIndirectU64 (Then Sub64)];
                StoreIndirectU64_Xor = StoreIndirectU64 (Then Xor) [StoreIndirectU64 (Then Xor)];
                StoreIndirectU8_BranchLessUnsigned = StoreIndirectU8 (Then BranchLessUnsigned) [StoreIndirectU8 (Then BranchLessUnsigned)];
                Sub64_into_AndImm = Sub64 (Chain AndImm) [Sub64 (Chain AndImm)];
                Sub64_LoadIndirectU64 = Sub64 (Then LoadIndirectU64) [Sub64 (Then LoadIndirectU64)];
                Sub64_into_StoreIndirectU64 = Sub64 (Chain StoreIndirectU64) [Sub64 (Chain StoreIndirectU64)];
                Sub64_XorImm = Sub64 (Then XorImm) [Sub64 (Then XorImm)];
                Unlikely_Add64 = Unlikely (Then Add64) [Unlikely (Then Add64)];
                Unlikely_LoadIndirectU64 = Unlikely (Then LoadIndirectU64) [Unlikely (Then LoadIndirectU64)];
                Unlikely_ShiftLogicalLeftImm64 = Unlikely (Then ShiftLogicalLeftImm64) [Unlikely (Then ShiftLogicalLeftImm64)];
                Xor_Add64 = Xor (Then Add64) [Xor (Then Add64)];
                Xor_AddImm64 = Xor (Then AddImm64) [Xor (Then AddImm64)];
                Xor_into_And = Xor (Chain And) [Xor (Chain And)];
                Xor_LoadIndirectU64 = Xor (Then LoadIndirectU64) [Xor (Then LoadIndirectU64)];
                Xor_MoveReg = Xor (Then MoveReg) [Xor (Then MoveReg)];
                Xor_RotateRightImm32 = Xor (Then RotateRightImm32) [Xor (Then RotateRightImm32)];
                Xor_SetLessThanUnsigned = Xor (Then SetLessThanUnsigned) [Xor (Then SetLessThanUnsigned)];
                Xor_ShiftLogicalRightImm32 = Xor (Then ShiftLogicalRightImm32) [Xor (Then ShiftLogicalRightImm32)];
                Xor_into_StoreIndirectU64 = Xor (Chain StoreIndirectU64) [Xor (Chain StoreIndirectU64)];
                Xor_StoreIndirectU64 = Xor (Then StoreIndirectU64) [Xor (Then StoreIndirectU64)];
                Xor_Xor = Xor (Then Xor) [Xor (Then Xor)];
                XorImm_into_Add64 = XorImm (Chain Add64) [XorImm (Chain Add64)];
                XorImm_Add64 = XorImm (Then Add64) [XorImm (Then Add64)];
                XorImm_MinimumUnsigned = XorImm (Then MinimumUnsigned) [XorImm (Then MinimumUnsigned)];
                Add64_into_Add64_Add64 = Add64_into_Add64 (Then Add64) [Add64 (Chain Add64) (Then Add64)];
                Add64_into_Add64_LoadIndirectU64 = Add64_into_Add64 (Then LoadIndirectU64) [Add64 (Chain Add64) (Then LoadIndirectU64)];
                Add64_Add64_LoadIndirectU64 = Add64_Add64 (Then LoadIndirectU64) [Add64 (Then Add64) (Then LoadIndirectU64)];
                Add64_Add64_into_RotateRightImm32 = Add64_Add64 (Chain RotateRightImm32) [Add64 (Then Add64) (Chain RotateRightImm32)];
                Add64_Add64_StoreIndirectU8 = Add64_Add64 (Then StoreIndirectU8) [Add64 (Then Add64) (Then StoreIndirectU8)];
                Add64_AddImm64_MoveReg = Add64_AddImm64 (Then MoveReg) [Add64 (Then AddImm64) (Then MoveReg)];
                Add64_And_Xor = Add64_And (Then Xor) [Add64 (Then And) (Then Xor)];
                Add64_LoadIndirectU64_into_Add64 = Add64_LoadIndirectU64 (Chain Add64) [Add64 (Then LoadIndirectU64) (Chain Add64)];
                Add64_LoadIndirectU64_LoadIndirectU64 = Add64_LoadIndirectU64 (Then LoadIndirectU64) [Add64 (Then LoadIndirectU64) (Then LoadIndirectU64)];
                Add64_into_LoadIndirectU8_into_BranchNotEqImm = Add64_into_LoadIndirectU8 (Chain BranchNotEqImm) [Add64 (Chain LoadIndirectU8) (Chain BranchNotEqImm)];
                Add64_MinimumUnsigned_ShiftLogicalLeftImm64 = Add64_MinimumUnsigned (Then ShiftLogicalLeftImm64) [Add64 (Then MinimumUnsigned) (Then ShiftLogicalLeftImm64)];
                Add64_into_RotateRightImm32_RotateRightImm32 = Add64_into_RotateRightImm32 (Then RotateRightImm32) [Add64 (Chain RotateRightImm32) (Then RotateRightImm32)];
                Add64_RotateRightImm32_into_Xor = Add64_RotateRightImm32 (Chain Xor) [Add64 (Then RotateRightImm32) (Chain Xor)];
                Add64_into_SetLessThanUnsigned_LoadIndirectU64 = Add64_into_SetLessThanUnsigned (Then LoadIndirectU64) [Add64 (Chain SetLessThanUnsigned) (Then LoadIndirectU64)];
                Add64_ShiftLogicalRightImm64_SetLessThanUnsigned = Add64_ShiftLogicalRightImm64 (Then SetLessThanUnsigned) [Add64 (Then ShiftLogicalRightImm64) (Then SetLessThanUnsigned)];
                Add64_into_StoreIndirectU64_AndInverted = Add64_into_StoreIndirectU64 (Then AndInverted) [Add64 (Chain StoreIndirectU64) (Then AndInverted)];
                Add64_into_StoreIndirectU64_LoadIndirectU64 = Add64_into_StoreIndirectU64 (Then LoadIndirectU64) [Add64 (Chain StoreIndirectU64) (Then LoadIndirectU64)];
                Add64_into_StoreIndirectU64_SetLessThanUnsigned = Add64_into_StoreIndirectU64 (Then SetLessThanUnsigned) [Add64 (Chain StoreIndirectU64) (Then SetLessThanUnsigned)];
                Add64_StoreIndirectU8_BranchLessUnsigned = Add64_StoreIndirectU8 (Then BranchLessUnsigned) [Add64 (Then StoreIndirectU8) (Then BranchLessUnsigned)];
                Add64_Sub64_XorImm = Add64_Sub64 (Then XorImm) [Add64 (Then Sub64) (Then XorImm)];
                AddImm64_into_Add64_And = AddImm64_into_Add64 (Then And) [AddImm64 (Chain Add64) (Then And)];
                AddImm64_Add64_StoreIndirectU16 = AddImm64_Add64 (Then StoreIndirectU16) [AddImm64 (Then Add64) (Then StoreIndirectU16)];
                AddImm64_AddImm64_Add64 = AddImm64_AddImm64 (Then Add64) [AddImm64 (Then AddImm64) (Then Add64)];
                AddImm64_AddImm64_AddImm64 = AddImm64_AddImm64 (Then AddImm64) [AddImm64 (Then AddImm64) (Then AddImm64)];
                AddImm64_AddImm64_BranchLessUnsigned = AddImm64_AddImm64 (Then BranchLessUnsigned) [AddImm64 (Then AddImm64) (Then BranchLessUnsigned)];
                AddImm64_AddImm64_BranchNotEqImm = AddImm64_AddImm64 (Then BranchNotEqImm) [AddImm64 (Then AddImm64) (Then BranchNotEqImm)];
                AddImm64_MoveReg_BranchNotEq = AddImm64_MoveReg (Then BranchNotEq) [AddImm64 (Then MoveReg) (Then BranchNotEq)];
                AddImm64_MoveReg_MoveReg = AddImm64_MoveReg (Then MoveReg) [AddImm64 (Then MoveReg) (Then MoveReg)];
                AddImm64_ShiftLogicalRightImm64_SetLessThanUnsigned = AddImm64_ShiftLogicalRightImm64 (Then SetLessThanUnsigned) [AddImm64 (Then ShiftLogicalRightImm64) (Then SetLessThanUnsigned)];
                AddImm64_StoreIndirectU64_StoreIndirectU64 = AddImm64_StoreIndirectU64 (Then StoreIndirectU64) [AddImm64 (Then StoreIndirectU64) (Then StoreIndirectU64)];
                AddImm64_Xor_into_StoreIndirectU64 = AddImm64_Xor (Chain StoreIndirectU64) [AddImm64 (Then Xor) (Chain StoreIndirectU64)];
                AddImm64_XorImm_into_Add64 = AddImm64_XorImm (Chain Add64) [AddImm64 (Then XorImm) (Chain Add64)];
                And_And_into_Xor = And_And (Chain Xor) [And (Then And) (Chain Xor)];
                And_into_Or_RotateRightImm32 = And_into_Or (Then RotateRightImm32) [And (Chain Or) (Then RotateRightImm32)];
                And_Xor_AddImm64 = And_Xor (Then AddImm64) [And (Then Xor) (Then AddImm64)];
                And_into_Xor_RotateRightImm32 = And_into_Xor (Then RotateRightImm32) [And (Chain Xor) (Then RotateRightImm32)];
                And_Xor_SetLessThanUnsigned = And_Xor (Then SetLessThanUnsigned) [And (Then Xor) (Then SetLessThanUnsigned)];
                AndImm_LoadImm_into_BranchNotEq = AndImm_LoadImm (Chain BranchNotEq) [AndImm (Then LoadImm) (Chain BranchNotEq)];
                AndInverted_And_into_Or = AndInverted_And (Chain Or) [AndInverted (Then And) (Chain Or)];
                LoadIndirectU64_into_Add64_into_Add64 = LoadIndirectU64_into_Add64 (Chain Add64) [LoadIndirectU64 (Chain Add64) (Chain Add64)];
                LoadIndirectU64_into_Add64_LoadIndirectU64 = LoadIndirectU64_into_Add64 (Then LoadIndirectU64) [LoadIndirectU64 (Chain Add64) (Then LoadIndirectU64)];
                LoadIndirectU64_into_Add64_RotateRightImm32 = LoadIndirectU64_into_Add64 (Then RotateRightImm32) [LoadIndirectU64 (Chain Add64) (Then RotateRightImm32)];
                LoadIndirectU64_into_Add64_into_SetLessThanUnsigned = LoadIndirectU64_into_Add64 (Chain SetLessThanUnsigned) [LoadIndirectU64 (Chain Add64) (Chain SetLessThanUnsigned)];
                LoadIndirectU64_into_Add64_ShiftLogicalRightImm64 = LoadIndirectU64_into_Add64 (Then ShiftLogicalRightImm64) [LoadIndirectU64 (Chain Add64) (Then ShiftLogicalRightImm64)];
                LoadIndirectU64_into_Add64_into_StoreIndirectU64 = LoadIndirectU64_into_Add64 (Chain StoreIndirectU64) [LoadIndirectU64 (Chain Add64) (Chain StoreIndirectU64)];
                LoadIndirectU64_AddImm64_JumpIndirect = LoadIndirectU64_AddImm64 (Then JumpIndirect) [LoadIndirectU64 (Then AddImm64) (Then JumpIndirect)];
                LoadIndirectU64_AddImm64_LoadImmAndJump = LoadIndirectU64_AddImm64 (Then LoadImmAndJump) [LoadIndirectU64 (Then AddImm64) (Then LoadImmAndJump)];
                LoadIndirectU64_LoadIndirectU64_into_Add64 = LoadIndirectU64_LoadIndirectU64 (Chain Add64) [LoadIndirectU64 (Then LoadIndirectU64) (Chain Add64)];
                LoadIndirectU64_LoadIndirectU64_AddImm64 = LoadIndirectU64_LoadIndirectU64 (Then AddImm64) [LoadIndirectU64 (Then LoadIndirectU64) (Then AddImm64)];
                LoadIndirectU64_LoadIndirectU64_LoadIndirectU64 = LoadIndirectU64_LoadIndirectU64 (Then LoadIndirectU64) [LoadIndirectU64 (Then LoadIndirectU64) (Then LoadIndirectU64)];
                LoadIndirectU64_into_LoadIndirectU8_LoadIndirectU64 = LoadIndirectU64_into_LoadIndirectU8 (Then LoadIndirectU64) [LoadIndirectU64 (Chain LoadIndirectU8) (Then LoadIndirectU64)];
                LoadIndirectU64_Mul64_into_ShiftArithmeticRightImm64 = LoadIndirectU64_Mul64 (Chain ShiftArithmeticRightImm64) [LoadIndirectU64 (Then Mul64) (Chain ShiftArithmeticRightImm64)];
                LoadIndirectU64_into_MulUpperUnsignedUnsigned_LoadIndirectU64 = LoadIndirectU64_into_MulUpperUnsignedUnsigned (Then LoadIndirectU64) [LoadIndirectU64 (Chain MulUpperUnsignedUnsigned) (Then LoadIndirectU64)];
                LoadIndirectU64_SetLessThanUnsigned_SetLessThanUnsigned = LoadIndirectU64_SetLessThanUnsigned (Then SetLessThanUnsigned) [LoadIndirectU64 (Then SetLessThanUnsigned) (Then SetLessThanUnsigned)];
                LoadIndirectU64_into_StoreIndirectU64_AddImm64 = LoadIndirectU64_into_StoreIndirectU64 (Then AddImm64) [LoadIndirectU64 (Chain StoreIndirectU64) (Then AddImm64)];
                LoadIndirectU8_AddImm64_XorImm = LoadIndirectU8_AddImm64 (Then XorImm) [LoadIndirectU8 (Then AddImm64) (Then XorImm)];
                MinimumUnsigned_ShiftLogicalLeftImm64_into_Add64 = MinimumUnsigned_ShiftLogicalLeftImm64 (Chain Add64) [MinimumUnsigned (Then ShiftLogicalLeftImm64) (Chain Add64)];
                MinimumUnsigned_ShiftLogicalLeftImm64_AddImm64 = MinimumUnsigned_ShiftLogicalLeftImm64 (Then AddImm64) [MinimumUnsigned (Then ShiftLogicalLeftImm64) (Then AddImm64)];
                MoveReg_MoveReg_BranchNotEqImm = MoveReg_MoveReg (Then BranchNotEqImm) [MoveReg (Then MoveReg) (Then BranchNotEqImm)];
                MoveReg_MoveReg_LoadImmAndJump = MoveReg_MoveReg (Then LoadImmAndJump) [MoveReg (Then MoveReg) (Then LoadImmAndJump)];
                MoveReg_MoveReg_MoveReg = MoveReg_MoveReg (Then MoveReg) [MoveReg (Then MoveReg) (Then MoveReg)];
                Mul64_into_ShiftArithmeticRightImm64_LoadIndirectU64 = Mul64_into_ShiftArithmeticRightImm64 (Then LoadIndirectU64) [Mul64 (Chain ShiftArithmeticRightImm64) (Then LoadIndirectU64)];
                Mul64_into_StoreIndirectU64_MulUpperUnsignedUnsigned = Mul64_into_StoreIndirectU64 (Then MulUpperUnsignedUnsigned) [Mul64 (Chain StoreIndirectU64) (Then MulUpperUnsignedUnsigned)];
                MulUpperUnsignedUnsigned_into_Add64_into_StoreIndirectU64 = MulUpperUnsignedUnsigned_into_Add64 (Chain StoreIndirectU64) [MulUpperUnsignedUnsigned (Chain Add64) (Chain StoreIndirectU64)];
                MulUpperUnsignedUnsigned_LoadIndirectU64_into_Add64 = MulUpperUnsignedUnsigned_LoadIndirectU64 (Chain Add64) [MulUpperUnsignedUnsigned (Then LoadIndirectU64) (Chain Add64)];
                Or_RotateRightImm32_RotateRightImm32 = Or_RotateRightImm32 (Then RotateRightImm32) [Or (Then RotateRightImm32) (Then RotateRightImm32)];
                RotateRightImm32_RotateRightImm32_into_Xor = RotateRightImm32_RotateRightImm32 (Chain Xor) [RotateRightImm32 (Then RotateRightImm32) (Chain Xor)];
                RotateRightImm32_into_Xor_Add64 = RotateRightImm32_into_Xor (Then Add64) [RotateRightImm32 (Chain Xor) (Then Add64)];
                RotateRightImm32_into_Xor_LoadIndirectU64 = RotateRightImm32_into_Xor (Then LoadIndirectU64) [RotateRightImm32 (Chain Xor) (Then LoadIndirectU64)];
                RotateRightImm32_into_Xor_into_StoreIndirectU64 = RotateRightImm32_into_Xor (Chain StoreIndirectU64) [RotateRightImm32 (Chain Xor) (Chain StoreIndirectU64)];
                SetLessThanUnsigned_Add64_Sub64 = SetLessThanUnsigned_Add64 (Then Sub64) [SetLessThanUnsigned (Then Add64) (Then Sub64)];
                SetLessThanUnsigned_LoadIndirectU64_into_Add64 = SetLessThanUnsigned_LoadIndirectU64 (Chain Add64) [SetLessThanUnsigned (Then LoadIndirectU64) (Chain Add64)];
                SetLessThanUnsigned_SetLessThanUnsigned_into_Sub64 = SetLessThanUnsigned_SetLessThanUnsigned (Chain Sub64) [SetLessThanUnsigned (Then SetLessThanUnsigned) (Chain Sub64)];
                SetLessThanUnsigned_ShiftLogicalRightImm64_Sub64 = SetLessThanUnsigned_ShiftLogicalRightImm64 (Then Sub64) [SetLessThanUnsigned (Then ShiftLogicalRightImm64) (Then Sub64)];
                SetLessThanUnsigned_into_Sub64_into_AndImm = SetLessThanUnsigned_into_Sub64 (Chain AndImm) [SetLessThanUnsigned (Chain Sub64) (Chain AndImm)];
                SetLessThanUnsigned_Sub64_XorImm = SetLessThanUnsigned_Sub64 (Then XorImm) [SetLessThanUnsigned (Then Sub64) (Then XorImm)];
                ShiftLogicalLeftImm64_into_Add64_And = ShiftLogicalLeftImm64_into_Add64 (Then And) [ShiftLogicalLeftImm64 (Chain Add64) (Then And)];
                ShiftLogicalLeftImm64_into_Add64_LoadIndirectU64 = ShiftLogicalLeftImm64_into_Add64 (Then LoadIndirectU64) [ShiftLogicalLeftImm64 (Chain Add64) (Then LoadIndirectU64)];
                ShiftLogicalLeftImm64_AddImm64_into_Add64 = ShiftLogicalLeftImm64_AddImm64 (Chain Add64) [ShiftLogicalLeftImm64 (Then AddImm64) (Chain Add64)];
                ShiftLogicalLeftImm64_AddImm64_AddImm64 = ShiftLogicalLeftImm64_AddImm64 (Then AddImm64) [ShiftLogicalLeftImm64 (Then AddImm64) (Then AddImm64)];
                ShiftLogicalLeftImm64_into_Or_ShiftLogicalRightImm64 = ShiftLogicalLeftImm64_into_Or (Then ShiftLogicalRightImm64) [ShiftLogicalLeftImm64 (Chain Or) (Then ShiftLogicalRightImm64)];
                ShiftLogicalLeftImm64_ShiftLogicalLeftImm64_AddImm64 = ShiftLogicalLeftImm64_ShiftLogicalLeftImm64 (Then AddImm64) [ShiftLogicalLeftImm64 (Then ShiftLogicalLeftImm64) (Then AddImm64)];
                ShiftLogicalRightImm64_SetLessThanUnsigned_Add64 = ShiftLogicalRightImm64_SetLessThanUnsigned (Then Add64) [ShiftLogicalRightImm64 (Then SetLessThanUnsigned) (Then Add64)];
                ShiftLogicalRightImm64_SetLessThanUnsigned_Sub64 = ShiftLogicalRightImm64_SetLessThanUnsigned (Then Sub64) [ShiftLogicalRightImm64 (Then SetLessThanUnsigned) (Then Sub64)];
                ShiftLogicalRightImm64_Sub64_XorImm = ShiftLogicalRightImm64_Sub64 (Then XorImm) [ShiftLogicalRightImm64 (Then Sub64) (Then XorImm)];
                StoreIndirectU64_AddImm64_AddImm64 = StoreIndirectU64_AddImm64 (Then AddImm64) [StoreIndirectU64 (Then AddImm64) (Then AddImm64)];
                StoreIndirectU64_AddImm64_MoveReg = StoreIndirectU64_AddImm64 (Then MoveReg) [StoreIndirectU64 (Then AddImm64) (Then MoveReg)];
                StoreIndirectU64_AndInverted_And = StoreIndirectU64_AndInverted (Then And) [StoreIndirectU64 (Then AndInverted) (Then And)];
                StoreIndirectU64_LoadIndirectU64_into_Add64 = StoreIndirectU64_LoadIndirectU64 (Chain Add64) [StoreIndirectU64 (Then LoadIndirectU64) (Chain Add64)];
                StoreIndirectU64_LoadIndirectU64_AddImm64 = StoreIndirectU64_LoadIndirectU64 (Then AddImm64) [StoreIndirectU64 (Then LoadIndirectU64) (Then AddImm64)];
                StoreIndirectU64_LoadIndirectU64_LoadIndirectU64 = StoreIndirectU64_LoadIndirectU64 (Then LoadIndirectU64) [StoreIndirectU64 (Then LoadIndirectU64) (Then LoadIndirectU64)];
                StoreIndirectU64_LoadIndirectU64_into_Mul64 = StoreIndirectU64_LoadIndirectU64 (Chain Mul64) [StoreIndirectU64 (Then LoadIndirectU64) (Chain Mul64)];
                StoreIndirectU64_LoadIndirectU64_Mul64 = StoreIndirectU64_LoadIndirectU64 (Then Mul64) [StoreIndirectU64 (Then LoadIndirectU64) (Then Mul64)];
                StoreIndirectU64_LoadIndirectU64_into_MulUpperUnsignedUnsigned = StoreIndirectU64_LoadIndirectU64 (Chain MulUpperUnsignedUnsigned) [StoreIndirectU64 (Then LoadIndirectU64) (Chain MulUpperUnsignedUnsigned)];
                StoreIndirectU64_Mul64_into_StoreIndirectU64 = StoreIndirectU64_Mul64 (Chain StoreIndirectU64) [StoreIndirectU64 (Then Mul64) (Chain StoreIndirectU64)];
                StoreIndirectU64_MulUpperUnsignedUnsigned_into_StoreIndirectU64 = StoreIndirectU64_MulUpperUnsignedUnsigned (Chain StoreIndirectU64) [StoreIndirectU64 (Then MulUpperUnsignedUnsigned) (Chain StoreIndirectU64)];
                StoreIndirectU64_RotateRightImm32_RotateRightImm32 = StoreIndirectU64_RotateRightImm32 (Then RotateRightImm32) [StoreIndirectU64 (Then RotateRightImm32) (Then RotateRightImm32)];
                StoreIndirectU64_SetLessThanUnsigned_LoadIndirectU64 = StoreIndirectU64_SetLessThanUnsigned (Then LoadIndirectU64) [StoreIndirectU64 (Then SetLessThanUnsigned) (Then LoadIndirectU64)];
                StoreIndirectU64_StoreIndirectU64_AddImm64 = StoreIndirectU64_StoreIndirectU64 (Then AddImm64) [StoreIndirectU64 (Then StoreIndirectU64) (Then AddImm64)];
                StoreIndirectU64_StoreIndirectU64_StoreIndirectU64 = StoreIndirectU64_StoreIndirectU64 (Then StoreIndirectU64) [StoreIndirectU64 (Then StoreIndirectU64) (Then StoreIndirectU64)];
                Sub64_into_AndImm_LoadImm = Sub64_into_AndImm (Then LoadImm) [Sub64 (Chain AndImm) (Then LoadImm)];
                Sub64_XorImm_Add64 = Sub64_XorImm (Then Add64) [Sub64 (Then XorImm) (Then Add64)];
                Sub64_XorImm_MinimumUnsigned = Sub64_XorImm (Then MinimumUnsigned) [Sub64 (Then XorImm) (Then MinimumUnsigned)];
                Unlikely_Add64_into_LoadIndirectU8 = Unlikely_Add64 (Chain LoadIndirectU8) [Unlikely (Then Add64) (Chain LoadIndirectU8)];
                Unlikely_LoadIndirectU64_into_BranchEq = Unlikely_LoadIndirectU64 (Chain BranchEq) [Unlikely (Then LoadIndirectU64) (Chain BranchEq)];
                Unlikely_LoadIndirectU64_SetLessThanUnsigned = Unlikely_LoadIndirectU64 (Then SetLessThanUnsigned) [Unlikely (Then LoadIndirectU64) (Then SetLessThanUnsigned)];
                Unlikely_LoadIndirectU64_into_StoreIndirectU64 = Unlikely_LoadIndirectU64 (Chain StoreIndirectU64) [Unlikely (Then LoadIndirectU64) (Chain StoreIndirectU64)];
                Xor_Add64_Add64 = Xor_Add64 (Then Add64) [Xor (Then Add64) (Then Add64)];
                Xor_AddImm64_ShiftLogicalRightImm64 = Xor_AddImm64 (Then ShiftLogicalRightImm64) [Xor (Then AddImm64) (Then ShiftLogicalRightImm64)];
                Xor_into_And_And = Xor_into_And (Then And) [Xor (Chain And) (Then And)];
                Xor_LoadIndirectU64_into_Add64 = Xor_LoadIndirectU64 (Chain Add64) [Xor (Then LoadIndirectU64) (Chain Add64)];
                Xor_LoadIndirectU64_LoadIndirectU64 = Xor_LoadIndirectU64 (Then LoadIndirectU64) [Xor (Then LoadIndirectU64) (Then LoadIndirectU64)];
                Xor_RotateRightImm32_RotateRightImm32 = Xor_RotateRightImm32 (Then RotateRightImm32) [Xor (Then RotateRightImm32) (Then RotateRightImm32)];
                Xor_RotateRightImm32_into_Xor = Xor_RotateRightImm32 (Chain Xor) [Xor (Then RotateRightImm32) (Chain Xor)];
                Xor_SetLessThanUnsigned_ShiftLogicalRightImm64 = Xor_SetLessThanUnsigned (Then ShiftLogicalRightImm64) [Xor (Then SetLessThanUnsigned) (Then ShiftLogicalRightImm64)];
                Xor_into_StoreIndirectU64_AddImm64 = Xor_into_StoreIndirectU64 (Then AddImm64) [Xor (Chain StoreIndirectU64) (Then AddImm64)];
                Xor_into_StoreIndirectU64_LoadIndirectU64 = Xor_into_StoreIndirectU64 (Then LoadIndirectU64) [Xor (Chain StoreIndirectU64) (Then LoadIndirectU64)];
                XorImm_into_Add64_BranchNotEq = XorImm_into_Add64 (Then BranchNotEq) [XorImm (Chain Add64) (Then BranchNotEq)];
                XorImm_Add64_MinimumUnsigned = XorImm_Add64 (Then MinimumUnsigned) [XorImm (Then Add64) (Then MinimumUnsigned)];
                XorImm_MinimumUnsigned_ShiftLogicalLeftImm64 = XorImm_MinimumUnsigned (Then ShiftLogicalLeftImm64) [XorImm (Then MinimumUnsigned) (Then ShiftLogicalLeftImm64)];
                Add64_Add64_StoreIndirectU8_BranchLessUnsigned = Add64_Add64_StoreIndirectU8 (Then BranchLessUnsigned) [Add64 (Then Add64) (Then StoreIndirectU8) (Then BranchLessUnsigned)];
                Add64_AddImm64_MoveReg_MoveReg = Add64_AddImm64_MoveReg (Then MoveReg) [Add64 (Then AddImm64) (Then MoveReg) (Then MoveReg)];
                Add64_And_Xor_SetLessThanUnsigned = Add64_And_Xor (Then SetLessThanUnsigned) [Add64 (Then And) (Then Xor) (Then SetLessThanUnsigned)];
                Add64_LoadIndirectU64_LoadIndirectU64_LoadIndirectU64 = Add64_LoadIndirectU64_LoadIndirectU64 (Then LoadIndirectU64) [Add64 (Then LoadIndirectU64) (Then LoadIndirectU64) (Then LoadIndirectU64)];
                AddImm64_MoveReg_MoveReg_LoadImmAndJump = AddImm64_MoveReg_MoveReg (Then LoadImmAndJump) [AddImm64 (Then MoveReg) (Then MoveReg) (Then LoadImmAndJump)];
                AddImm64_MoveReg_MoveReg_MoveReg = AddImm64_MoveReg_MoveReg (Then MoveReg) [AddImm64 (Then MoveReg) (Then MoveReg) (Then MoveReg)];
                AddImm64_StoreIndirectU64_StoreIndirectU64_StoreIndirectU64 = AddImm64_StoreIndirectU64_StoreIndirectU64 (Then StoreIndirectU64) [AddImm64 (Then StoreIndirectU64) (Then StoreIndirectU64) (Then StoreIndirectU64)];
                And_Xor_SetLessThanUnsigned_ShiftLogicalRightImm64 = And_Xor_SetLessThanUnsigned (Then ShiftLogicalRightImm64) [And (Then Xor) (Then SetLessThanUnsigned) (Then ShiftLogicalRightImm64)];
                LoadIndirectU64_into_Add64_LoadIndirectU64_LoadIndirectU64 = LoadIndirectU64_into_Add64_LoadIndirectU64 (Then LoadIndirectU64) [LoadIndirectU64 (Chain Add64) (Then LoadIndirectU64) (Then LoadIndirectU64)];
                LoadIndirectU64_into_Add64_into_StoreIndirectU64_LoadIndirectU64 = LoadIndirectU64_into_Add64_into_StoreIndirectU64 (Then LoadIndirectU64) [LoadIndirectU64 (Chain Add64) (Chain StoreIndirectU64) (Then LoadIndirectU64)];
                LoadIndirectU64_LoadIndirectU64_AddImm64_JumpIndirect = LoadIndirectU64_LoadIndirectU64_AddImm64 (Then JumpIndirect) [LoadIndirectU64 (Then LoadIndirectU64) (Then AddImm64) (Then JumpIndirect)];
                LoadIndirectU64_LoadIndirectU64_LoadIndirectU64_AddImm64 = LoadIndirectU64_LoadIndirectU64_LoadIndirectU64 (Then AddImm64) [LoadIndirectU64 (Then LoadIndirectU64) (Then LoadIndirectU64) (Then AddImm64)];
                MoveReg_MoveReg_MoveReg_BranchNotEqImm = MoveReg_MoveReg_MoveReg (Then BranchNotEqImm) [MoveReg (Then MoveReg) (Then MoveReg) (Then BranchNotEqImm)];
                SetLessThanUnsigned_ShiftLogicalRightImm64_Sub64_XorImm = SetLessThanUnsigned_ShiftLogicalRightImm64_Sub64 (Then XorImm) [SetLessThanUnsigned (Then ShiftLogicalRightImm64) (Then Sub64) (Then XorImm)];
                ShiftLogicalRightImm64_Sub64_XorImm_Add64 = ShiftLogicalRightImm64_Sub64_XorImm (Then Add64) [ShiftLogicalRightImm64 (Then Sub64) (Then XorImm) (Then Add64)];
                StoreIndirectU64_AddImm64_MoveReg_MoveReg = StoreIndirectU64_AddImm64_MoveReg (Then MoveReg) [StoreIndirectU64 (Then AddImm64) (Then MoveReg) (Then MoveReg)];
                StoreIndirectU64_LoadIndirectU64_into_Add64_LoadIndirectU64 = StoreIndirectU64_LoadIndirectU64_into_Add64 (Then LoadIndirectU64) [StoreIndirectU64 (Then LoadIndirectU64) (Chain Add64) (Then LoadIndirectU64)];
                StoreIndirectU64_LoadIndirectU64_AddImm64_LoadImmAndJump = StoreIndirectU64_LoadIndirectU64_AddImm64 (Then LoadImmAndJump) [StoreIndirectU64 (Then LoadIndirectU64) (Then AddImm64) (Then LoadImmAndJump)];
                StoreIndirectU64_StoreIndirectU64_AddImm64_MoveReg = StoreIndirectU64_StoreIndirectU64_AddImm64 (Then MoveReg) [StoreIndirectU64 (Then StoreIndirectU64) (Then AddImm64) (Then MoveReg)];
                StoreIndirectU64_StoreIndirectU64_StoreIndirectU64_AddImm64 = StoreIndirectU64_StoreIndirectU64_StoreIndirectU64 (Then AddImm64) [StoreIndirectU64 (Then StoreIndirectU64) (Then StoreIndirectU64) (Then AddImm64)];
                Sub64_XorImm_Add64_MinimumUnsigned = Sub64_XorImm_Add64 (Then MinimumUnsigned) [Sub64 (Then XorImm) (Then Add64) (Then MinimumUnsigned)];
                Unlikely_Add64_into_LoadIndirectU8_into_BranchNotEqImm = Unlikely_Add64_into_LoadIndirectU8 (Chain BranchNotEqImm) [Unlikely (Then Add64) (Chain LoadIndirectU8) (Chain BranchNotEqImm)];
                Xor_SetLessThanUnsigned_ShiftLogicalRightImm64_Sub64 = Xor_SetLessThanUnsigned_ShiftLogicalRightImm64 (Then Sub64) [Xor (Then SetLessThanUnsigned) (Then ShiftLogicalRightImm64) (Then Sub64)];
                XorImm_Add64_MinimumUnsigned_ShiftLogicalLeftImm64 = XorImm_Add64_MinimumUnsigned (Then ShiftLogicalLeftImm64) [XorImm (Then Add64) (Then MinimumUnsigned) (Then ShiftLogicalLeftImm64)];
            }
        }
    };
}

pub(super) use for_each_kind;
