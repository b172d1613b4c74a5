//! The list of operations: what each name means is in `handlers`.

/// Calls the macro `$user` with the kinds of operations: those that are instructions, those that are not, and the fused ones.
///
/// The row of a fused one says what it makes longer by which operation, and the handlers of all its parts. `Then` does one after
/// the other. `Chain` does so, too, where the one before writes what is the first source of the next: that value is handed on in a
/// register of the processor. Of two with the same parts the one with the chain comes first.
///
/// They were chosen by how often guests execute them: see `docs/engine.md`, `examples/frequencies.rs` and
/// `examples/fusions.rs`, which says what to fuse next.
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
                Add64_BranchNotEqImm = Add64 (Then BranchNotEqImm) [Add64 (Then BranchNotEqImm)];
                Add64_into_LoadIndirectU64 = Add64 (Chain LoadIndirectU64) [Add64 (Chain LoadIndirectU64)];
                Add64_LoadIndirectU64 = Add64 (Then LoadIndirectU64) [Add64 (Then LoadIndirectU64)];
                Add64_into_LoadIndirectU8 = Add64 (Chain LoadIndirectU8) [Add64 (Chain LoadIndirectU8)];
                Add64_MinimumUnsigned = Add64 (Then MinimumUnsigned) [Add64 (Then MinimumUnsigned)];
                Add64_into_RotateRightImm32 = Add64 (Chain RotateRightImm32) [Add64 (Chain RotateRightImm32)];
                Add64_RotateRightImm32 = Add64 (Then RotateRightImm32) [Add64 (Then RotateRightImm32)];
                Add64_into_SetLessThanUnsigned = Add64 (Chain SetLessThanUnsigned) [Add64 (Chain SetLessThanUnsigned)];
                Add64_ShiftLogicalRightImm64 = Add64 (Then ShiftLogicalRightImm64) [Add64 (Then ShiftLogicalRightImm64)];
                Add64_StoreIndirectU16 = Add64 (Then StoreIndirectU16) [Add64 (Then StoreIndirectU16)];
                Add64_StoreIndirectU32 = Add64 (Then StoreIndirectU32) [Add64 (Then StoreIndirectU32)];
                Add64_into_StoreIndirectU64 = Add64 (Chain StoreIndirectU64) [Add64 (Chain StoreIndirectU64)];
                Add64_StoreIndirectU8 = Add64 (Then StoreIndirectU8) [Add64 (Then StoreIndirectU8)];
                Add64_Sub64 = Add64 (Then Sub64) [Add64 (Then Sub64)];
                AddImm32_StoreIndirectU32 = AddImm32 (Then StoreIndirectU32) [AddImm32 (Then StoreIndirectU32)];
                AddImm64_into_Add64 = AddImm64 (Chain Add64) [AddImm64 (Chain Add64)];
                AddImm64_Add64 = AddImm64 (Then Add64) [AddImm64 (Then Add64)];
                AddImm64_AddImm64 = AddImm64 (Then AddImm64) [AddImm64 (Then AddImm64)];
                AddImm64_into_BranchEq = AddImm64 (Chain BranchEq) [AddImm64 (Chain BranchEq)];
                AddImm64_into_BranchLessUnsigned = AddImm64 (Chain BranchLessUnsigned) [AddImm64 (Chain BranchLessUnsigned)];
                AddImm64_BranchLessUnsigned = AddImm64 (Then BranchLessUnsigned) [AddImm64 (Then BranchLessUnsigned)];
                AddImm64_into_BranchNotEq = AddImm64 (Chain BranchNotEq) [AddImm64 (Chain BranchNotEq)];
                AddImm64_BranchNotEqImm = AddImm64 (Then BranchNotEqImm) [AddImm64 (Then BranchNotEqImm)];
                AddImm64_into_CountLeadingZeroBits64 = AddImm64 (Chain CountLeadingZeroBits64) [AddImm64 (Chain CountLeadingZeroBits64)];
                AddImm64_JumpIndirect = AddImm64 (Then JumpIndirect) [AddImm64 (Then JumpIndirect)];
                AddImm64_LoadImmAndJump = AddImm64 (Then LoadImmAndJump) [AddImm64 (Then LoadImmAndJump)];
                AddImm64_LoadIndirectU64 = AddImm64 (Then LoadIndirectU64) [AddImm64 (Then LoadIndirectU64)];
                AddImm64_MoveReg = AddImm64 (Then MoveReg) [AddImm64 (Then MoveReg)];
                AddImm64_Mul64 = AddImm64 (Then Mul64) [AddImm64 (Then Mul64)];
                AddImm64_ShiftLogicalLeftImm64 = AddImm64 (Then ShiftLogicalLeftImm64) [AddImm64 (Then ShiftLogicalLeftImm64)];
                AddImm64_ShiftLogicalRightImm64 = AddImm64 (Then ShiftLogicalRightImm64) [AddImm64 (Then ShiftLogicalRightImm64)];
                AddImm64_StoreIndirectU32 = AddImm64 (Then StoreIndirectU32) [AddImm64 (Then StoreIndirectU32)];
                AddImm64_StoreIndirectU64 = AddImm64 (Then StoreIndirectU64) [AddImm64 (Then StoreIndirectU64)];
                AddImm64_Xor = AddImm64 (Then Xor) [AddImm64 (Then Xor)];
                AddImm64_XorImm = AddImm64 (Then XorImm) [AddImm64 (Then XorImm)];
                And_into_Add64 = And (Chain Add64) [And (Chain Add64)];
                And_And = And (Then And) [And (Then And)];
                And_into_Or = And (Chain Or) [And (Chain Or)];
                And_ShiftLogicalRightImm64 = And (Then ShiftLogicalRightImm64) [And (Then ShiftLogicalRightImm64)];
                And_into_StoreIndirectU64 = And (Chain StoreIndirectU64) [And (Chain StoreIndirectU64)];
                And_into_Xor = And (Chain Xor) [And (Chain Xor)];
                And_Xor = And (Then Xor) [And (Then Xor)];
                AndImm_into_Add64 = AndImm (Chain Add64) [AndImm (Chain Add64)];
                AndImm_AndImm = AndImm (Then AndImm) [AndImm (Then AndImm)];
                AndImm_CmovIfZero = AndImm (Then CmovIfZero) [AndImm (Then CmovIfZero)];
                AndImm_LoadImm = AndImm (Then LoadImm) [AndImm (Then LoadImm)];
                AndImm_into_ShiftLogicalLeftImm64 = AndImm (Chain ShiftLogicalLeftImm64) [AndImm (Chain ShiftLogicalLeftImm64)];
                AndInverted_And = AndInverted (Then And) [AndInverted (Then And)];
                CmovIfNotZero_Jump = CmovIfNotZero (Then Jump) [CmovIfNotZero (Then Jump)];
                LoadImm_Add64 = LoadImm (Then Add64) [LoadImm (Then Add64)];
                LoadImm_AddImm64 = LoadImm (Then AddImm64) [LoadImm (Then AddImm64)];
                LoadImm_BranchEqImm = LoadImm (Then BranchEqImm) [LoadImm (Then BranchEqImm)];
                LoadImm_BranchLessUnsigned = LoadImm (Then BranchLessUnsigned) [LoadImm (Then BranchLessUnsigned)];
                LoadImm_into_BranchNotEq = LoadImm (Chain BranchNotEq) [LoadImm (Chain BranchNotEq)];
                LoadImm_Jump = LoadImm (Then Jump) [LoadImm (Then Jump)];
                LoadImm_into_Maximum = LoadImm (Chain Maximum) [LoadImm (Chain Maximum)];
                LoadImm_into_MaximumUnsigned = LoadImm (Chain MaximumUnsigned) [LoadImm (Chain MaximumUnsigned)];
                LoadImm_MoveReg = LoadImm (Then MoveReg) [LoadImm (Then MoveReg)];
                LoadIndirectI32_Add64 = LoadIndirectI32 (Then Add64) [LoadIndirectI32 (Then Add64)];
                LoadIndirectI32_LoadIndirectI32 = LoadIndirectI32 (Then LoadIndirectI32) [LoadIndirectI32 (Then LoadIndirectI32)];
                LoadIndirectI32_SetLessThanUnsigned = LoadIndirectI32 (Then SetLessThanUnsigned) [LoadIndirectI32 (Then SetLessThanUnsigned)];
                LoadIndirectU16_into_BranchEqImm = LoadIndirectU16 (Chain BranchEqImm) [LoadIndirectU16 (Chain BranchEqImm)];
                LoadIndirectU32_AddImm64 = LoadIndirectU32 (Then AddImm64) [LoadIndirectU32 (Then AddImm64)];
                LoadIndirectU32_RotateRightImm64 = LoadIndirectU32 (Then RotateRightImm64) [LoadIndirectU32 (Then RotateRightImm64)];
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
                LoadIndirectU64_into_StoreIndirectU8 = LoadIndirectU64 (Chain StoreIndirectU8) [LoadIndirectU64 (Chain StoreIndirectU8)];
                LoadIndirectU64_Sub64 = LoadIndirectU64 (Then Sub64) [LoadIndirectU64 (Then Sub64)];
                LoadIndirectU64_into_Xor = LoadIndirectU64 (Chain Xor) [LoadIndirectU64 (Chain Xor)];
                LoadIndirectU8_AddImm64 = LoadIndirectU8 (Then AddImm64) [LoadIndirectU8 (Then AddImm64)];
                LoadIndirectU8_into_BranchNotEqImm = LoadIndirectU8 (Chain BranchNotEqImm) [LoadIndirectU8 (Chain BranchNotEqImm)];
                LoadIndirectU8_LoadIndirectU64 = LoadIndirectU8 (Then LoadIndirectU64) [LoadIndirectU8 (Then LoadIndirectU64)];
                LoadIndirectU8_LoadIndirectU8 = LoadIndirectU8 (Then LoadIndirectU8) [LoadIndirectU8 (Then LoadIndirectU8)];
                LoadIndirectU8_RotateRightImm64 = LoadIndirectU8 (Then RotateRightImm64) [LoadIndirectU8 (Then RotateRightImm64)];
                MaximumUnsigned_MinimumUnsigned = MaximumUnsigned (Then MinimumUnsigned) [MaximumUnsigned (Then MinimumUnsigned)];
                MaximumUnsigned_into_StoreIndirectU64 = MaximumUnsigned (Chain StoreIndirectU64) [MaximumUnsigned (Chain StoreIndirectU64)];
                MinimumUnsigned_ShiftLogicalLeftImm64 = MinimumUnsigned (Then ShiftLogicalLeftImm64) [MinimumUnsigned (Then ShiftLogicalLeftImm64)];
                MoveReg_BranchLessUnsigned = MoveReg (Then BranchLessUnsigned) [MoveReg (Then BranchLessUnsigned)];
                MoveReg_BranchNotEq = MoveReg (Then BranchNotEq) [MoveReg (Then BranchNotEq)];
                MoveReg_BranchNotEqImm = MoveReg (Then BranchNotEqImm) [MoveReg (Then BranchNotEqImm)];
                MoveReg_Fallthrough = MoveReg (Then Fallthrough) [MoveReg (Then Fallthrough)];
                MoveReg_Jump = MoveReg (Then Jump) [MoveReg (Then Jump)];
                MoveReg_LoadImmAndJump = MoveReg (Then LoadImmAndJump) [MoveReg (Then LoadImmAndJump)];
                MoveReg_LoadIndirectU64 = MoveReg (Then LoadIndirectU64) [MoveReg (Then LoadIndirectU64)];
                MoveReg_MoveReg = MoveReg (Then MoveReg) [MoveReg (Then MoveReg)];
                MoveReg_RotateRightImm32 = MoveReg (Then RotateRightImm32) [MoveReg (Then RotateRightImm32)];
                MoveReg_StoreIndirectU64 = MoveReg (Then StoreIndirectU64) [MoveReg (Then StoreIndirectU64)];
                Mul64_into_Add64 = Mul64 (Chain Add64) [Mul64 (Chain Add64)];
                Mul64_LoadIndirectU64 = Mul64 (Then LoadIndirectU64) [Mul64 (Then LoadIndirectU64)];
                Mul64_Mul64 = Mul64 (Then Mul64) [Mul64 (Then Mul64)];
                Mul64_into_ShiftArithmeticRightImm64 = Mul64 (Chain ShiftArithmeticRightImm64) [Mul64 (Chain ShiftArithmeticRightImm64)];
                Mul64_ShiftLogicalLeftImm64 = Mul64 (Then ShiftLogicalLeftImm64) [Mul64 (Then ShiftLogicalLeftImm64)];
                Mul64_into_ShiftLogicalRightImm64 = Mul64 (Chain ShiftLogicalRightImm64) [Mul64 (Chain ShiftLogicalRightImm64)];
                Mul64_into_StoreIndirectU64 = Mul64 (Chain StoreIndirectU64) [Mul64 (Chain StoreIndirectU64)];
                MulImm64_into_Add64 = MulImm64 (Chain Add64) [MulImm64 (Chain Add64)];
                MulImm64_into_StoreIndirectU64 = MulImm64 (Chain StoreIndirectU64) [MulImm64 (Chain StoreIndirectU64)];
                MulUpperUnsignedUnsigned_into_Add64 = MulUpperUnsignedUnsigned (Chain Add64) [MulUpperUnsignedUnsigned (Chain Add64)];
                MulUpperUnsignedUnsigned_LoadIndirectU64 = MulUpperUnsignedUnsigned (Then LoadIndirectU64) [MulUpperUnsignedUnsigned (Then LoadIndirectU64)];
                MulUpperUnsignedUnsigned_Mul64 = MulUpperUnsignedUnsigned (Then Mul64) [MulUpperUnsignedUnsigned (Then Mul64)];
                MulUpperUnsignedUnsigned_MulUpperUnsignedUnsigned = MulUpperUnsignedUnsigned (Then MulUpperUnsignedUnsigned) [MulUpperUnsignedUnsigned (Then MulUpperUnsignedUnsigned)];
                MulUpperUnsignedUnsigned_into_StoreIndirectU64 = MulUpperUnsignedUnsigned (Chain StoreIndirectU64) [MulUpperUnsignedUnsigned (Chain StoreIndirectU64)];
                MulUpperUnsignedUnsigned_StoreIndirectU64 = MulUpperUnsignedUnsigned (Then StoreIndirectU64) [MulUpperUnsignedUnsigned (Then StoreIndirectU64)];
                NegateAndAddImm64_into_Maximum = NegateAndAddImm64 (Chain Maximum) [NegateAndAddImm64 (Chain Maximum)];
                Or_LoadIndirectU64 = Or (Then LoadIndirectU64) [Or (Then LoadIndirectU64)];
                Or_RotateRightImm32 = Or (Then RotateRightImm32) [Or (Then RotateRightImm32)];
                Or_ShiftLogicalRightImm64 = Or (Then ShiftLogicalRightImm64) [Or (Then ShiftLogicalRightImm64)];
                Or_into_StoreIndirectU64 = Or (Chain StoreIndirectU64) [Or (Chain StoreIndirectU64)];
                ReverseByte_into_StoreIndirectU64 = ReverseByte (Chain StoreIndirectU64) [ReverseByte (Chain StoreIndirectU64)];
                RotateRightImm32_MoveReg = RotateRightImm32 (Then MoveReg) [RotateRightImm32 (Then MoveReg)];
                RotateRightImm32_RotateRightImm32 = RotateRightImm32 (Then RotateRightImm32) [RotateRightImm32 (Then RotateRightImm32)];
                RotateRightImm32_into_Xor = RotateRightImm32 (Chain Xor) [RotateRightImm32 (Chain Xor)];
                RotateRightImm64_LoadIndirectU64 = RotateRightImm64 (Then LoadIndirectU64) [RotateRightImm64 (Then LoadIndirectU64)];
                RotateRightImm64_RotateRightImm64 = RotateRightImm64 (Then RotateRightImm64) [RotateRightImm64 (Then RotateRightImm64)];
                RotateRightImm64_into_Xor = RotateRightImm64 (Chain Xor) [RotateRightImm64 (Chain Xor)];
                SetGreaterThanUnsignedImm_into_ShiftLogicalLeftImm64 = SetGreaterThanUnsignedImm (Chain ShiftLogicalLeftImm64) [SetGreaterThanUnsignedImm (Chain ShiftLogicalLeftImm64)];
                SetLessThanUnsigned_into_Add64 = SetLessThanUnsigned (Chain Add64) [SetLessThanUnsigned (Chain Add64)];
                SetLessThanUnsigned_Add64 = SetLessThanUnsigned (Then Add64) [SetLessThanUnsigned (Then Add64)];
                SetLessThanUnsigned_LoadIndirectU64 = SetLessThanUnsigned (Then LoadIndirectU64) [SetLessThanUnsigned (Then LoadIndirectU64)];
                SetLessThanUnsigned_SetLessThanUnsigned = SetLessThanUnsigned (Then SetLessThanUnsigned) [SetLessThanUnsigned (Then SetLessThanUnsigned)];
                SetLessThanUnsigned_ShiftLogicalRightImm64 = SetLessThanUnsigned (Then ShiftLogicalRightImm64) [SetLessThanUnsigned (Then ShiftLogicalRightImm64)];
                SetLessThanUnsigned_StoreIndirectU64 = SetLessThanUnsigned (Then StoreIndirectU64) [SetLessThanUnsigned (Then StoreIndirectU64)];
                SetLessThanUnsigned_into_Sub64 = SetLessThanUnsigned (Chain Sub64) [SetLessThanUnsigned (Chain Sub64)];
                SetLessThanUnsigned_Sub64 = SetLessThanUnsigned (Then Sub64) [SetLessThanUnsigned (Then Sub64)];
                ShiftArithmeticRightImm64_LoadIndirectU64 = ShiftArithmeticRightImm64 (Then LoadIndirectU64) [ShiftArithmeticRightImm64 (Then LoadIndirectU64)];
                ShiftArithmeticRightImm64_ShiftArithmeticRightImm64 = ShiftArithmeticRightImm64 (Then ShiftArithmeticRightImm64) [ShiftArithmeticRightImm64 (Then ShiftArithmeticRightImm64)];
                ShiftLogicalLeft64_into_Or = ShiftLogicalLeft64 (Chain Or) [ShiftLogicalLeft64 (Chain Or)];
                ShiftLogicalLeftImm64_into_Add64 = ShiftLogicalLeftImm64 (Chain Add64) [ShiftLogicalLeftImm64 (Chain Add64)];
                ShiftLogicalLeftImm64_Add64 = ShiftLogicalLeftImm64 (Then Add64) [ShiftLogicalLeftImm64 (Then Add64)];
                ShiftLogicalLeftImm64_AddImm64 = ShiftLogicalLeftImm64 (Then AddImm64) [ShiftLogicalLeftImm64 (Then AddImm64)];
                ShiftLogicalLeftImm64_Fallthrough = ShiftLogicalLeftImm64 (Then Fallthrough) [ShiftLogicalLeftImm64 (Then Fallthrough)];
                ShiftLogicalLeftImm64_LoadIndirectU64 = ShiftLogicalLeftImm64 (Then LoadIndirectU64) [ShiftLogicalLeftImm64 (Then LoadIndirectU64)];
                ShiftLogicalLeftImm64_into_Or = ShiftLogicalLeftImm64 (Chain Or) [ShiftLogicalLeftImm64 (Chain Or)];
                ShiftLogicalLeftImm64_ShiftLogicalLeftImm64 = ShiftLogicalLeftImm64 (Then ShiftLogicalLeftImm64) [ShiftLogicalLeftImm64 (Then ShiftLogicalLeftImm64)];
                ShiftLogicalLeftImm64_ShiftLogicalRightImm64 = ShiftLogicalLeftImm64 (Then ShiftLogicalRightImm64) [ShiftLogicalLeftImm64 (Then ShiftLogicalRightImm64)];
                ShiftLogicalLeftImm64_into_StoreIndirectU64 = ShiftLogicalLeftImm64 (Chain StoreIndirectU64) [ShiftLogicalLeftImm64 (Chain StoreIndirectU64)];
                ShiftLogicalLeftImm64_into_Xor = ShiftLogicalLeftImm64 (Chain Xor) [ShiftLogicalLeftImm64 (Chain Xor)];
                ShiftLogicalRightImm32_LoadIndirectU64 = ShiftLogicalRightImm32 (Then LoadIndirectU64) [ShiftLogicalRightImm32 (Then LoadIndirectU64)];
                ShiftLogicalRightImm32_into_Xor = ShiftLogicalRightImm32 (Chain Xor) [ShiftLogicalRightImm32 (Chain Xor)];
                ShiftLogicalRightImm64_into_Add64 = ShiftLogicalRightImm64 (Chain Add64) [ShiftLogicalRightImm64 (Chain Add64)];
                ShiftLogicalRightImm64_into_BranchNotEqImm = ShiftLogicalRightImm64 (Chain BranchNotEqImm) [ShiftLogicalRightImm64 (Chain BranchNotEqImm)];
                ShiftLogicalRightImm64_LoadImm = ShiftLogicalRightImm64 (Then LoadImm) [ShiftLogicalRightImm64 (Then LoadImm)];
                ShiftLogicalRightImm64_LoadIndirectU64 = ShiftLogicalRightImm64 (Then LoadIndirectU64) [ShiftLogicalRightImm64 (Then LoadIndirectU64)];
                ShiftLogicalRightImm64_into_Or = ShiftLogicalRightImm64 (Chain Or) [ShiftLogicalRightImm64 (Chain Or)];
                ShiftLogicalRightImm64_SetLessThanUnsigned = ShiftLogicalRightImm64 (Then SetLessThanUnsigned) [ShiftLogicalRightImm64 (Then SetLessThanUnsigned)];
                ShiftLogicalRightImm64_ShiftLogicalLeftImm64 = ShiftLogicalRightImm64 (Then ShiftLogicalLeftImm64) [ShiftLogicalRightImm64 (Then ShiftLogicalLeftImm64)];
                ShiftLogicalRightImm64_StoreIndirectU64 = ShiftLogicalRightImm64 (Then StoreIndirectU64) [ShiftLogicalRightImm64 (Then StoreIndirectU64)];
                ShiftLogicalRightImm64_Sub64 = ShiftLogicalRightImm64 (Then Sub64) [ShiftLogicalRightImm64 (Then Sub64)];
                StoreImmIndirectU64_StoreImmIndirectU64 = StoreImmIndirectU64 (Then StoreImmIndirectU64) [StoreImmIndirectU64 (Then StoreImmIndirectU64)];
                StoreIndirectU16_Mul64 = StoreIndirectU16 (Then Mul64) [StoreIndirectU16 (Then Mul64)];
                StoreIndirectU32_LoadIndirectU64 = StoreIndirectU32 (Then LoadIndirectU64) [StoreIndirectU32 (Then LoadIndirectU64)];
                StoreIndirectU32_StoreIndirectU32 = StoreIndirectU32 (Then StoreIndirectU32) [StoreIndirectU32 (Then StoreIndirectU32)];
                StoreIndirectU32_XorImm = StoreIndirectU32 (Then XorImm) [StoreIndirectU32 (Then XorImm)];
                StoreIndirectU64_Add64 = StoreIndirectU64 (Then Add64) [StoreIndirectU64 (Then Add64)];
                StoreIndirectU64_AddImm64 = StoreIndirectU64 (Then AddImm64) [StoreIndirectU64 (Then AddImm64)];
                StoreIndirectU64_And = StoreIndirectU64 (Then And) [StoreIndirectU64 (Then And)];
                StoreIndirectU64_AndInverted = StoreIndirectU64 (Then AndInverted) [StoreIndirectU64 (Then AndInverted)];
                StoreIndirectU64_BranchEqImm = StoreIndirectU64 (Then BranchEqImm) [StoreIndirectU64 (Then BranchEqImm)];
                StoreIndirectU64_BranchGreaterOrEqualUnsigned = StoreIndirectU64 (Then BranchGreaterOrEqualUnsigned) [StoreIndirectU64 (Then BranchGreaterOrEqualUnsigned)];
                StoreIndirectU64_BranchNotEqImm = StoreIndirectU64 (Then BranchNotEqImm) [StoreIndirectU64 (Then BranchNotEqImm)];
                StoreIndirectU64_Jump = StoreIndirectU64 (Then Jump) [StoreIndirectU64 (Then Jump)];
                StoreIndirectU64_LoadIndirectU64 = StoreIndirectU64 (Then LoadIndirectU64) [StoreIndirectU64 (Then LoadIndirectU64)];
                StoreIndirectU64_MoveReg = StoreIndirectU64 (Then MoveReg) [StoreIndirectU64 (Then MoveReg)];
                StoreIndirectU64_Mul64 = StoreIndirectU64 (Then Mul64) [StoreIndirectU64 (Then Mul64)];
                StoreIndirectU64_MulImm64 = StoreIndirectU64 (Then MulImm64) [StoreIndirectU64 (Then MulImm64)];
                StoreIndirectU64_MulUpperUnsignedUnsigned = StoreIndirectU64 (Then MulUpperUnsignedUnsigned) [StoreIndirectU64 (Then MulUpperUnsignedUnsigned)];
                StoreIndirectU64_RotateRightImm32 = StoreIndirectU64 (Then RotateRightImm32) [StoreIndirectU64 (Then RotateRightImm32)];
                StoreIndirectU64_SetLessThanUnsigned = StoreIndirectU64 (Then SetLessThanUnsigned) [StoreIndirectU64 (Then SetLessThanUnsigned)];
                StoreIndirectU64_ShiftArithmeticRightImm64 = StoreIndirectU64 (Then ShiftArithmeticRightImm64) [StoreIndirectU64 (Then ShiftArithmeticRightImm64)];
                StoreIndirectU64_ShiftLogicalLeftImm64 = StoreIndirectU64 (Then ShiftLogicalLeftImm64) [StoreIndirectU64 (Then ShiftLogicalLeftImm64)];
                StoreIndirectU64_ShiftLogicalRightImm32 = StoreIndirectU64 (Then ShiftLogicalRightImm32) [StoreIndirectU64 (Then ShiftLogicalRightImm32)];
                StoreIndirectU64_ShiftLogicalRightImm64 = StoreIndirectU64 (Then ShiftLogicalRightImm64) [StoreIndirectU64 (Then ShiftLogicalRightImm64)];
                StoreIndirectU64_StoreIndirectU64 = StoreIndirectU64 (Then StoreIndirectU64) [StoreIndirectU64 (Then StoreIndirectU64)];
                StoreIndirectU64_Sub64 = StoreIndirectU64 (Then Sub64) [StoreIndirectU64 (Then Sub64)];
                StoreIndirectU64_Xor = StoreIndirectU64 (Then Xor) [StoreIndirectU64 (Then Xor)];
                StoreIndirectU8_BranchEqImm = StoreIndirectU8 (Then BranchEqImm) [StoreIndirectU8 (Then BranchEqImm)];
                StoreIndirectU8_BranchLessUnsigned = StoreIndirectU8 (Then BranchLessUnsigned) [StoreIndirectU8 (Then BranchLessUnsigned)];
                Sub64_into_AndImm = Sub64 (Chain AndImm) [Sub64 (Chain AndImm)];
                Sub64_into_BranchGreaterOrEqualUnsigned = Sub64 (Chain BranchGreaterOrEqualUnsigned) [Sub64 (Chain BranchGreaterOrEqualUnsigned)];
                Sub64_LoadIndirectU64 = Sub64 (Then LoadIndirectU64) [Sub64 (Then LoadIndirectU64)];
                Sub64_into_StoreIndirectU64 = Sub64 (Chain StoreIndirectU64) [Sub64 (Chain StoreIndirectU64)];
                Sub64_XorImm = Sub64 (Then XorImm) [Sub64 (Then XorImm)];
                Unlikely_Add64 = Unlikely (Then Add64) [Unlikely (Then Add64)];
                Unlikely_LoadIndirectI32 = Unlikely (Then LoadIndirectI32) [Unlikely (Then LoadIndirectI32)];
                Unlikely_LoadIndirectU16 = Unlikely (Then LoadIndirectU16) [Unlikely (Then LoadIndirectU16)];
                Unlikely_LoadIndirectU64 = Unlikely (Then LoadIndirectU64) [Unlikely (Then LoadIndirectU64)];
                Unlikely_ShiftLogicalLeftImm64 = Unlikely (Then ShiftLogicalLeftImm64) [Unlikely (Then ShiftLogicalLeftImm64)];
                Xor_Add64 = Xor (Then Add64) [Xor (Then Add64)];
                Xor_AddImm64 = Xor (Then AddImm64) [Xor (Then AddImm64)];
                Xor_into_And = Xor (Chain And) [Xor (Chain And)];
                Xor_AndInverted = Xor (Then AndInverted) [Xor (Then AndInverted)];
                Xor_LoadIndirectU64 = Xor (Then LoadIndirectU64) [Xor (Then LoadIndirectU64)];
                Xor_MoveReg = Xor (Then MoveReg) [Xor (Then MoveReg)];
                Xor_RotateRightImm32 = Xor (Then RotateRightImm32) [Xor (Then RotateRightImm32)];
                Xor_SetLessThanUnsigned = Xor (Then SetLessThanUnsigned) [Xor (Then SetLessThanUnsigned)];
                Xor_into_ShiftLogicalLeftImm64 = Xor (Chain ShiftLogicalLeftImm64) [Xor (Chain ShiftLogicalLeftImm64)];
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
                Add64_Add64_into_ShiftLogicalRightImm64 = Add64_Add64 (Chain ShiftLogicalRightImm64) [Add64 (Then Add64) (Chain ShiftLogicalRightImm64)];
                Add64_Add64_StoreIndirectU8 = Add64_Add64 (Then StoreIndirectU8) [Add64 (Then Add64) (Then StoreIndirectU8)];
                Add64_AddImm64_into_Add64 = Add64_AddImm64 (Chain Add64) [Add64 (Then AddImm64) (Chain Add64)];
                Add64_AddImm64_BranchNotEq = Add64_AddImm64 (Then BranchNotEq) [Add64 (Then AddImm64) (Then BranchNotEq)];
                Add64_AddImm64_MoveReg = Add64_AddImm64 (Then MoveReg) [Add64 (Then AddImm64) (Then MoveReg)];
                Add64_And_Xor = Add64_And (Then Xor) [Add64 (Then And) (Then Xor)];
                Add64_into_LoadIndirectU64_into_BranchEqImm = Add64_into_LoadIndirectU64 (Chain BranchEqImm) [Add64 (Chain LoadIndirectU64) (Chain BranchEqImm)];
                Add64_LoadIndirectU64_into_Add64 = Add64_LoadIndirectU64 (Chain Add64) [Add64 (Then LoadIndirectU64) (Chain Add64)];
                Add64_LoadIndirectU64_LoadIndirectU64 = Add64_LoadIndirectU64 (Then LoadIndirectU64) [Add64 (Then LoadIndirectU64) (Then LoadIndirectU64)];
                Add64_into_LoadIndirectU8_into_BranchNotEqImm = Add64_into_LoadIndirectU8 (Chain BranchNotEqImm) [Add64 (Chain LoadIndirectU8) (Chain BranchNotEqImm)];
                Add64_into_LoadIndirectU8_LoadIndirectU8 = Add64_into_LoadIndirectU8 (Then LoadIndirectU8) [Add64 (Chain LoadIndirectU8) (Then LoadIndirectU8)];
                Add64_MinimumUnsigned_ShiftLogicalLeftImm64 = Add64_MinimumUnsigned (Then ShiftLogicalLeftImm64) [Add64 (Then MinimumUnsigned) (Then ShiftLogicalLeftImm64)];
                Add64_into_RotateRightImm32_RotateRightImm32 = Add64_into_RotateRightImm32 (Then RotateRightImm32) [Add64 (Chain RotateRightImm32) (Then RotateRightImm32)];
                Add64_RotateRightImm32_into_Xor = Add64_RotateRightImm32 (Chain Xor) [Add64 (Then RotateRightImm32) (Chain Xor)];
                Add64_into_SetLessThanUnsigned_into_Add64 = Add64_into_SetLessThanUnsigned (Chain Add64) [Add64 (Chain SetLessThanUnsigned) (Chain Add64)];
                Add64_into_SetLessThanUnsigned_LoadIndirectU64 = Add64_into_SetLessThanUnsigned (Then LoadIndirectU64) [Add64 (Chain SetLessThanUnsigned) (Then LoadIndirectU64)];
                Add64_ShiftLogicalRightImm64_SetLessThanUnsigned = Add64_ShiftLogicalRightImm64 (Then SetLessThanUnsigned) [Add64 (Then ShiftLogicalRightImm64) (Then SetLessThanUnsigned)];
                Add64_StoreIndirectU16_Mul64 = Add64_StoreIndirectU16 (Then Mul64) [Add64 (Then StoreIndirectU16) (Then Mul64)];
                Add64_StoreIndirectU32_BranchEq = Add64_StoreIndirectU32 (Then BranchEq) [Add64 (Then StoreIndirectU32) (Then BranchEq)];
                Add64_StoreIndirectU32_Mul64 = Add64_StoreIndirectU32 (Then Mul64) [Add64 (Then StoreIndirectU32) (Then Mul64)];
                Add64_into_StoreIndirectU64_AndInverted = Add64_into_StoreIndirectU64 (Then AndInverted) [Add64 (Chain StoreIndirectU64) (Then AndInverted)];
                Add64_into_StoreIndirectU64_LoadIndirectU64 = Add64_into_StoreIndirectU64 (Then LoadIndirectU64) [Add64 (Chain StoreIndirectU64) (Then LoadIndirectU64)];
                Add64_into_StoreIndirectU64_SetLessThanUnsigned = Add64_into_StoreIndirectU64 (Then SetLessThanUnsigned) [Add64 (Chain StoreIndirectU64) (Then SetLessThanUnsigned)];
                Add64_StoreIndirectU8_BranchLessUnsigned = Add64_StoreIndirectU8 (Then BranchLessUnsigned) [Add64 (Then StoreIndirectU8) (Then BranchLessUnsigned)];
                Add64_Sub64_into_AndImm = Add64_Sub64 (Chain AndImm) [Add64 (Then Sub64) (Chain AndImm)];
                Add64_Sub64_XorImm = Add64_Sub64 (Then XorImm) [Add64 (Then Sub64) (Then XorImm)];
                AddImm64_into_Add64_And = AddImm64_into_Add64 (Then And) [AddImm64 (Chain Add64) (Then And)];
                AddImm64_Add64_BranchGreaterUnsignedImm = AddImm64_Add64 (Then BranchGreaterUnsignedImm) [AddImm64 (Then Add64) (Then BranchGreaterUnsignedImm)];
                AddImm64_Add64_BranchLessUnsigned = AddImm64_Add64 (Then BranchLessUnsigned) [AddImm64 (Then Add64) (Then BranchLessUnsigned)];
                AddImm64_Add64_BranchNotEqImm = AddImm64_Add64 (Then BranchNotEqImm) [AddImm64 (Then Add64) (Then BranchNotEqImm)];
                AddImm64_Add64_StoreIndirectU16 = AddImm64_Add64 (Then StoreIndirectU16) [AddImm64 (Then Add64) (Then StoreIndirectU16)];
                AddImm64_AddImm64_Add64 = AddImm64_AddImm64 (Then Add64) [AddImm64 (Then AddImm64) (Then Add64)];
                AddImm64_AddImm64_AddImm64 = AddImm64_AddImm64 (Then AddImm64) [AddImm64 (Then AddImm64) (Then AddImm64)];
                AddImm64_AddImm64_BranchLessUnsigned = AddImm64_AddImm64 (Then BranchLessUnsigned) [AddImm64 (Then AddImm64) (Then BranchLessUnsigned)];
                AddImm64_AddImm64_BranchNotEqImm = AddImm64_AddImm64 (Then BranchNotEqImm) [AddImm64 (Then AddImm64) (Then BranchNotEqImm)];
                AddImm64_into_CountLeadingZeroBits64_into_NegateAndAddImm64 = AddImm64_into_CountLeadingZeroBits64 (Chain NegateAndAddImm64) [AddImm64 (Chain CountLeadingZeroBits64) (Chain NegateAndAddImm64)];
                AddImm64_LoadIndirectU64_into_Add64 = AddImm64_LoadIndirectU64 (Chain Add64) [AddImm64 (Then LoadIndirectU64) (Chain Add64)];
                AddImm64_LoadIndirectU64_into_Mul64 = AddImm64_LoadIndirectU64 (Chain Mul64) [AddImm64 (Then LoadIndirectU64) (Chain Mul64)];
                AddImm64_LoadIndirectU64_into_MulUpperUnsignedUnsigned = AddImm64_LoadIndirectU64 (Chain MulUpperUnsignedUnsigned) [AddImm64 (Then LoadIndirectU64) (Chain MulUpperUnsignedUnsigned)];
                AddImm64_MoveReg_BranchNotEq = AddImm64_MoveReg (Then BranchNotEq) [AddImm64 (Then MoveReg) (Then BranchNotEq)];
                AddImm64_MoveReg_MoveReg = AddImm64_MoveReg (Then MoveReg) [AddImm64 (Then MoveReg) (Then MoveReg)];
                AddImm64_Mul64_BranchNotEq = AddImm64_Mul64 (Then BranchNotEq) [AddImm64 (Then Mul64) (Then BranchNotEq)];
                AddImm64_Mul64_BranchNotEqImm = AddImm64_Mul64 (Then BranchNotEqImm) [AddImm64 (Then Mul64) (Then BranchNotEqImm)];
                AddImm64_ShiftLogicalRightImm64_SetLessThanUnsigned = AddImm64_ShiftLogicalRightImm64 (Then SetLessThanUnsigned) [AddImm64 (Then ShiftLogicalRightImm64) (Then SetLessThanUnsigned)];
                AddImm64_StoreIndirectU32_StoreIndirectU32 = AddImm64_StoreIndirectU32 (Then StoreIndirectU32) [AddImm64 (Then StoreIndirectU32) (Then StoreIndirectU32)];
                AddImm64_StoreIndirectU64_AddImm64 = AddImm64_StoreIndirectU64 (Then AddImm64) [AddImm64 (Then StoreIndirectU64) (Then AddImm64)];
                AddImm64_StoreIndirectU64_StoreIndirectU64 = AddImm64_StoreIndirectU64 (Then StoreIndirectU64) [AddImm64 (Then StoreIndirectU64) (Then StoreIndirectU64)];
                AddImm64_Xor_into_ShiftLogicalRightImm64 = AddImm64_Xor (Chain ShiftLogicalRightImm64) [AddImm64 (Then Xor) (Chain ShiftLogicalRightImm64)];
                AddImm64_Xor_into_StoreIndirectU64 = AddImm64_Xor (Chain StoreIndirectU64) [AddImm64 (Then Xor) (Chain StoreIndirectU64)];
                AddImm64_XorImm_into_Add64 = AddImm64_XorImm (Chain Add64) [AddImm64 (Then XorImm) (Chain Add64)];
                And_And_into_Xor = And_And (Chain Xor) [And (Then And) (Chain Xor)];
                And_into_Or_RotateRightImm32 = And_into_Or (Then RotateRightImm32) [And (Chain Or) (Then RotateRightImm32)];
                And_into_StoreIndirectU64_LoadIndirectU64 = And_into_StoreIndirectU64 (Then LoadIndirectU64) [And (Chain StoreIndirectU64) (Then LoadIndirectU64)];
                And_into_Xor_RotateRightImm32 = And_into_Xor (Then RotateRightImm32) [And (Chain Xor) (Then RotateRightImm32)];
                And_Xor_AddImm64 = And_Xor (Then AddImm64) [And (Then Xor) (Then AddImm64)];
                And_Xor_SetLessThanUnsigned = And_Xor (Then SetLessThanUnsigned) [And (Then Xor) (Then SetLessThanUnsigned)];
                AndImm_into_Add64_BranchGreaterOrEqualUnsigned = AndImm_into_Add64 (Then BranchGreaterOrEqualUnsigned) [AndImm (Chain Add64) (Then BranchGreaterOrEqualUnsigned)];
                AndImm_CmovIfZero_Jump = AndImm_CmovIfZero (Then Jump) [AndImm (Then CmovIfZero) (Then Jump)];
                AndImm_LoadImm_into_BranchNotEq = AndImm_LoadImm (Chain BranchNotEq) [AndImm (Then LoadImm) (Chain BranchNotEq)];
                AndImm_into_ShiftLogicalLeftImm64_into_Add64 = AndImm_into_ShiftLogicalLeftImm64 (Chain Add64) [AndImm (Chain ShiftLogicalLeftImm64) (Chain Add64)];
                AndInverted_And_into_Or = AndInverted_And (Chain Or) [AndInverted (Then And) (Chain Or)];
                LoadImm_AddImm64_ShiftLogicalLeftImm64 = LoadImm_AddImm64 (Then ShiftLogicalLeftImm64) [LoadImm (Then AddImm64) (Then ShiftLogicalLeftImm64)];
                LoadImm_MoveReg_LoadImm = LoadImm_MoveReg (Then LoadImm) [LoadImm (Then MoveReg) (Then LoadImm)];
                LoadIndirectI32_Add64_into_LoadIndirectI32 = LoadIndirectI32_Add64 (Chain LoadIndirectI32) [LoadIndirectI32 (Then Add64) (Chain LoadIndirectI32)];
                LoadIndirectU32_AddImm64_SetLessThanUnsigned = LoadIndirectU32_AddImm64 (Then SetLessThanUnsigned) [LoadIndirectU32 (Then AddImm64) (Then SetLessThanUnsigned)];
                LoadIndirectU32_RotateRightImm64_into_Xor = LoadIndirectU32_RotateRightImm64 (Chain Xor) [LoadIndirectU32 (Then RotateRightImm64) (Chain Xor)];
                LoadIndirectU64_into_Add64_into_Add64 = LoadIndirectU64_into_Add64 (Chain Add64) [LoadIndirectU64 (Chain Add64) (Chain Add64)];
                LoadIndirectU64_into_Add64_LoadIndirectU64 = LoadIndirectU64_into_Add64 (Then LoadIndirectU64) [LoadIndirectU64 (Chain Add64) (Then LoadIndirectU64)];
                LoadIndirectU64_into_Add64_RotateRightImm32 = LoadIndirectU64_into_Add64 (Then RotateRightImm32) [LoadIndirectU64 (Chain Add64) (Then RotateRightImm32)];
                LoadIndirectU64_into_Add64_into_SetLessThanUnsigned = LoadIndirectU64_into_Add64 (Chain SetLessThanUnsigned) [LoadIndirectU64 (Chain Add64) (Chain SetLessThanUnsigned)];
                LoadIndirectU64_into_Add64_ShiftLogicalRightImm64 = LoadIndirectU64_into_Add64 (Then ShiftLogicalRightImm64) [LoadIndirectU64 (Chain Add64) (Then ShiftLogicalRightImm64)];
                LoadIndirectU64_into_Add64_into_StoreIndirectU64 = LoadIndirectU64_into_Add64 (Chain StoreIndirectU64) [LoadIndirectU64 (Chain Add64) (Chain StoreIndirectU64)];
                LoadIndirectU64_Add64_into_StoreIndirectU64 = LoadIndirectU64_Add64 (Chain StoreIndirectU64) [LoadIndirectU64 (Then Add64) (Chain StoreIndirectU64)];
                LoadIndirectU64_AddImm64_CmovIfNotZero = LoadIndirectU64_AddImm64 (Then CmovIfNotZero) [LoadIndirectU64 (Then AddImm64) (Then CmovIfNotZero)];
                LoadIndirectU64_AddImm64_JumpIndirect = LoadIndirectU64_AddImm64 (Then JumpIndirect) [LoadIndirectU64 (Then AddImm64) (Then JumpIndirect)];
                LoadIndirectU64_AddImm64_LoadImmAndJump = LoadIndirectU64_AddImm64 (Then LoadImmAndJump) [LoadIndirectU64 (Then AddImm64) (Then LoadImmAndJump)];
                LoadIndirectU64_AddImm64_LoadIndirectU16 = LoadIndirectU64_AddImm64 (Then LoadIndirectU16) [LoadIndirectU64 (Then AddImm64) (Then LoadIndirectU16)];
                LoadIndirectU64_AddImm64_Xor = LoadIndirectU64_AddImm64 (Then Xor) [LoadIndirectU64 (Then AddImm64) (Then Xor)];
                LoadIndirectU64_LoadIndirectU64_into_Add64 = LoadIndirectU64_LoadIndirectU64 (Chain Add64) [LoadIndirectU64 (Then LoadIndirectU64) (Chain Add64)];
                LoadIndirectU64_LoadIndirectU64_AddImm64 = LoadIndirectU64_LoadIndirectU64 (Then AddImm64) [LoadIndirectU64 (Then LoadIndirectU64) (Then AddImm64)];
                LoadIndirectU64_LoadIndirectU64_LoadIndirectU64 = LoadIndirectU64_LoadIndirectU64 (Then LoadIndirectU64) [LoadIndirectU64 (Then LoadIndirectU64) (Then LoadIndirectU64)];
                LoadIndirectU64_LoadIndirectU64_into_Xor = LoadIndirectU64_LoadIndirectU64 (Chain Xor) [LoadIndirectU64 (Then LoadIndirectU64) (Chain Xor)];
                LoadIndirectU64_into_LoadIndirectU8_LoadIndirectU64 = LoadIndirectU64_into_LoadIndirectU8 (Then LoadIndirectU64) [LoadIndirectU64 (Chain LoadIndirectU8) (Then LoadIndirectU64)];
                LoadIndirectU64_into_Mul64_into_StoreIndirectU64 = LoadIndirectU64_into_Mul64 (Chain StoreIndirectU64) [LoadIndirectU64 (Chain Mul64) (Chain StoreIndirectU64)];
                LoadIndirectU64_Mul64_into_ShiftArithmeticRightImm64 = LoadIndirectU64_Mul64 (Chain ShiftArithmeticRightImm64) [LoadIndirectU64 (Then Mul64) (Chain ShiftArithmeticRightImm64)];
                LoadIndirectU64_into_MulUpperUnsignedUnsigned_LoadIndirectU64 = LoadIndirectU64_into_MulUpperUnsignedUnsigned (Then LoadIndirectU64) [LoadIndirectU64 (Chain MulUpperUnsignedUnsigned) (Then LoadIndirectU64)];
                LoadIndirectU64_into_Or_ShiftLogicalRightImm64 = LoadIndirectU64_into_Or (Then ShiftLogicalRightImm64) [LoadIndirectU64 (Chain Or) (Then ShiftLogicalRightImm64)];
                LoadIndirectU64_SetLessThanUnsigned_SetLessThanUnsigned = LoadIndirectU64_SetLessThanUnsigned (Then SetLessThanUnsigned) [LoadIndirectU64 (Then SetLessThanUnsigned) (Then SetLessThanUnsigned)];
                LoadIndirectU64_into_ShiftLogicalRightImm64_into_Or = LoadIndirectU64_into_ShiftLogicalRightImm64 (Chain Or) [LoadIndirectU64 (Chain ShiftLogicalRightImm64) (Chain Or)];
                LoadIndirectU64_into_ShiftLogicalRightImm64_into_StoreIndirectU64 = LoadIndirectU64_into_ShiftLogicalRightImm64 (Chain StoreIndirectU64) [LoadIndirectU64 (Chain ShiftLogicalRightImm64) (Chain StoreIndirectU64)];
                LoadIndirectU64_into_StoreIndirectU64_AddImm64 = LoadIndirectU64_into_StoreIndirectU64 (Then AddImm64) [LoadIndirectU64 (Chain StoreIndirectU64) (Then AddImm64)];
                LoadIndirectU64_into_StoreIndirectU64_LoadIndirectU64 = LoadIndirectU64_into_StoreIndirectU64 (Then LoadIndirectU64) [LoadIndirectU64 (Chain StoreIndirectU64) (Then LoadIndirectU64)];
                LoadIndirectU64_into_Xor_into_And = LoadIndirectU64_into_Xor (Chain And) [LoadIndirectU64 (Chain Xor) (Chain And)];
                LoadIndirectU64_into_Xor_LoadIndirectU64 = LoadIndirectU64_into_Xor (Then LoadIndirectU64) [LoadIndirectU64 (Chain Xor) (Then LoadIndirectU64)];
                LoadIndirectU64_into_Xor_into_StoreIndirectU64 = LoadIndirectU64_into_Xor (Chain StoreIndirectU64) [LoadIndirectU64 (Chain Xor) (Chain StoreIndirectU64)];
                LoadIndirectU8_AddImm64_StoreIndirectU8 = LoadIndirectU8_AddImm64 (Then StoreIndirectU8) [LoadIndirectU8 (Then AddImm64) (Then StoreIndirectU8)];
                LoadIndirectU8_AddImm64_XorImm = LoadIndirectU8_AddImm64 (Then XorImm) [LoadIndirectU8 (Then AddImm64) (Then XorImm)];
                LoadIndirectU8_LoadIndirectU8_LoadIndirectU8 = LoadIndirectU8_LoadIndirectU8 (Then LoadIndirectU8) [LoadIndirectU8 (Then LoadIndirectU8) (Then LoadIndirectU8)];
                LoadIndirectU8_RotateRightImm64_into_Xor = LoadIndirectU8_RotateRightImm64 (Chain Xor) [LoadIndirectU8 (Then RotateRightImm64) (Chain Xor)];
                MaximumUnsigned_MinimumUnsigned_MaximumUnsigned = MaximumUnsigned_MinimumUnsigned (Then MaximumUnsigned) [MaximumUnsigned (Then MinimumUnsigned) (Then MaximumUnsigned)];
                MinimumUnsigned_ShiftLogicalLeftImm64_into_Add64 = MinimumUnsigned_ShiftLogicalLeftImm64 (Chain Add64) [MinimumUnsigned (Then ShiftLogicalLeftImm64) (Chain Add64)];
                MinimumUnsigned_ShiftLogicalLeftImm64_AddImm64 = MinimumUnsigned_ShiftLogicalLeftImm64 (Then AddImm64) [MinimumUnsigned (Then ShiftLogicalLeftImm64) (Then AddImm64)];
                MinimumUnsigned_ShiftLogicalLeftImm64_into_Or = MinimumUnsigned_ShiftLogicalLeftImm64 (Chain Or) [MinimumUnsigned (Then ShiftLogicalLeftImm64) (Chain Or)];
                MoveReg_LoadIndirectU64_LoadIndirectU64 = MoveReg_LoadIndirectU64 (Then LoadIndirectU64) [MoveReg (Then LoadIndirectU64) (Then LoadIndirectU64)];
                MoveReg_MoveReg_BranchNotEqImm = MoveReg_MoveReg (Then BranchNotEqImm) [MoveReg (Then MoveReg) (Then BranchNotEqImm)];
                MoveReg_MoveReg_LoadImmAndJump = MoveReg_MoveReg (Then LoadImmAndJump) [MoveReg (Then MoveReg) (Then LoadImmAndJump)];
                MoveReg_MoveReg_MoveReg = MoveReg_MoveReg (Then MoveReg) [MoveReg (Then MoveReg) (Then MoveReg)];
                Mul64_into_Add64_AddImm64 = Mul64_into_Add64 (Then AddImm64) [Mul64 (Chain Add64) (Then AddImm64)];
                Mul64_into_Add64_into_StoreIndirectU64 = Mul64_into_Add64 (Chain StoreIndirectU64) [Mul64 (Chain Add64) (Chain StoreIndirectU64)];
                Mul64_Mul64_Mul64 = Mul64_Mul64 (Then Mul64) [Mul64 (Then Mul64) (Then Mul64)];
                Mul64_into_ShiftArithmeticRightImm64_LoadIndirectU64 = Mul64_into_ShiftArithmeticRightImm64 (Then LoadIndirectU64) [Mul64 (Chain ShiftArithmeticRightImm64) (Then LoadIndirectU64)];
                Mul64_into_StoreIndirectU64_MulUpperUnsignedUnsigned = Mul64_into_StoreIndirectU64 (Then MulUpperUnsignedUnsigned) [Mul64 (Chain StoreIndirectU64) (Then MulUpperUnsignedUnsigned)];
                MulUpperUnsignedUnsigned_into_Add64_into_StoreIndirectU64 = MulUpperUnsignedUnsigned_into_Add64 (Chain StoreIndirectU64) [MulUpperUnsignedUnsigned (Chain Add64) (Chain StoreIndirectU64)];
                MulUpperUnsignedUnsigned_LoadIndirectU64_into_Add64 = MulUpperUnsignedUnsigned_LoadIndirectU64 (Chain Add64) [MulUpperUnsignedUnsigned (Then LoadIndirectU64) (Chain Add64)];
                Or_RotateRightImm32_RotateRightImm32 = Or_RotateRightImm32 (Then RotateRightImm32) [Or (Then RotateRightImm32) (Then RotateRightImm32)];
                Or_into_StoreIndirectU64_LoadIndirectU64 = Or_into_StoreIndirectU64 (Then LoadIndirectU64) [Or (Chain StoreIndirectU64) (Then LoadIndirectU64)];
                RotateRightImm32_RotateRightImm32_MoveReg = RotateRightImm32_RotateRightImm32 (Then MoveReg) [RotateRightImm32 (Then RotateRightImm32) (Then MoveReg)];
                RotateRightImm32_RotateRightImm32_into_Xor = RotateRightImm32_RotateRightImm32 (Chain Xor) [RotateRightImm32 (Then RotateRightImm32) (Chain Xor)];
                RotateRightImm32_into_Xor_Add64 = RotateRightImm32_into_Xor (Then Add64) [RotateRightImm32 (Chain Xor) (Then Add64)];
                RotateRightImm32_into_Xor_LoadIndirectU64 = RotateRightImm32_into_Xor (Then LoadIndirectU64) [RotateRightImm32 (Chain Xor) (Then LoadIndirectU64)];
                RotateRightImm32_into_Xor_into_StoreIndirectU64 = RotateRightImm32_into_Xor (Chain StoreIndirectU64) [RotateRightImm32 (Chain Xor) (Chain StoreIndirectU64)];
                RotateRightImm64_LoadIndirectU64_into_RotateRightImm64 = RotateRightImm64_LoadIndirectU64 (Chain RotateRightImm64) [RotateRightImm64 (Then LoadIndirectU64) (Chain RotateRightImm64)];
                RotateRightImm64_RotateRightImm64_AndInverted = RotateRightImm64_RotateRightImm64 (Then AndInverted) [RotateRightImm64 (Then RotateRightImm64) (Then AndInverted)];
                RotateRightImm64_RotateRightImm64_RotateRightImm64 = RotateRightImm64_RotateRightImm64 (Then RotateRightImm64) [RotateRightImm64 (Then RotateRightImm64) (Then RotateRightImm64)];
                RotateRightImm64_into_Xor_RotateRightImm64 = RotateRightImm64_into_Xor (Then RotateRightImm64) [RotateRightImm64 (Chain Xor) (Then RotateRightImm64)];
                SetLessThanUnsigned_Add64_Sub64 = SetLessThanUnsigned_Add64 (Then Sub64) [SetLessThanUnsigned (Then Add64) (Then Sub64)];
                SetLessThanUnsigned_LoadIndirectU64_into_Add64 = SetLessThanUnsigned_LoadIndirectU64 (Chain Add64) [SetLessThanUnsigned (Then LoadIndirectU64) (Chain Add64)];
                SetLessThanUnsigned_SetLessThanUnsigned_into_Sub64 = SetLessThanUnsigned_SetLessThanUnsigned (Chain Sub64) [SetLessThanUnsigned (Then SetLessThanUnsigned) (Chain Sub64)];
                SetLessThanUnsigned_ShiftLogicalRightImm64_Sub64 = SetLessThanUnsigned_ShiftLogicalRightImm64 (Then Sub64) [SetLessThanUnsigned (Then ShiftLogicalRightImm64) (Then Sub64)];
                SetLessThanUnsigned_into_Sub64_into_AndImm = SetLessThanUnsigned_into_Sub64 (Chain AndImm) [SetLessThanUnsigned (Chain Sub64) (Chain AndImm)];
                SetLessThanUnsigned_Sub64_XorImm = SetLessThanUnsigned_Sub64 (Then XorImm) [SetLessThanUnsigned (Then Sub64) (Then XorImm)];
                ShiftLogicalLeftImm64_into_Add64_And = ShiftLogicalLeftImm64_into_Add64 (Then And) [ShiftLogicalLeftImm64 (Chain Add64) (Then And)];
                ShiftLogicalLeftImm64_into_Add64_into_LoadIndirectI32 = ShiftLogicalLeftImm64_into_Add64 (Chain LoadIndirectI32) [ShiftLogicalLeftImm64 (Chain Add64) (Chain LoadIndirectI32)];
                ShiftLogicalLeftImm64_into_Add64_LoadIndirectU64 = ShiftLogicalLeftImm64_into_Add64 (Then LoadIndirectU64) [ShiftLogicalLeftImm64 (Chain Add64) (Then LoadIndirectU64)];
                ShiftLogicalLeftImm64_AddImm64_into_Add64 = ShiftLogicalLeftImm64_AddImm64 (Chain Add64) [ShiftLogicalLeftImm64 (Then AddImm64) (Chain Add64)];
                ShiftLogicalLeftImm64_AddImm64_Add64 = ShiftLogicalLeftImm64_AddImm64 (Then Add64) [ShiftLogicalLeftImm64 (Then AddImm64) (Then Add64)];
                ShiftLogicalLeftImm64_AddImm64_AddImm64 = ShiftLogicalLeftImm64_AddImm64 (Then AddImm64) [ShiftLogicalLeftImm64 (Then AddImm64) (Then AddImm64)];
                ShiftLogicalLeftImm64_into_Or_into_AndImm = ShiftLogicalLeftImm64_into_Or (Chain AndImm) [ShiftLogicalLeftImm64 (Chain Or) (Chain AndImm)];
                ShiftLogicalLeftImm64_into_Or_Or = ShiftLogicalLeftImm64_into_Or (Then Or) [ShiftLogicalLeftImm64 (Chain Or) (Then Or)];
                ShiftLogicalLeftImm64_into_Or_RotateRightImm64 = ShiftLogicalLeftImm64_into_Or (Then RotateRightImm64) [ShiftLogicalLeftImm64 (Chain Or) (Then RotateRightImm64)];
                ShiftLogicalLeftImm64_into_Or_ShiftLogicalRightImm64 = ShiftLogicalLeftImm64_into_Or (Then ShiftLogicalRightImm64) [ShiftLogicalLeftImm64 (Chain Or) (Then ShiftLogicalRightImm64)];
                ShiftLogicalLeftImm64_into_Or_into_StoreIndirectU64 = ShiftLogicalLeftImm64_into_Or (Chain StoreIndirectU64) [ShiftLogicalLeftImm64 (Chain Or) (Chain StoreIndirectU64)];
                ShiftLogicalLeftImm64_into_Or_into_Xor = ShiftLogicalLeftImm64_into_Or (Chain Xor) [ShiftLogicalLeftImm64 (Chain Or) (Chain Xor)];
                ShiftLogicalLeftImm64_ShiftLogicalLeftImm64_AddImm64 = ShiftLogicalLeftImm64_ShiftLogicalLeftImm64 (Then AddImm64) [ShiftLogicalLeftImm64 (Then ShiftLogicalLeftImm64) (Then AddImm64)];
                ShiftLogicalLeftImm64_ShiftLogicalLeftImm64_into_Or = ShiftLogicalLeftImm64_ShiftLogicalLeftImm64 (Chain Or) [ShiftLogicalLeftImm64 (Then ShiftLogicalLeftImm64) (Chain Or)];
                ShiftLogicalLeftImm64_ShiftLogicalRightImm64_into_Or = ShiftLogicalLeftImm64_ShiftLogicalRightImm64 (Chain Or) [ShiftLogicalLeftImm64 (Then ShiftLogicalRightImm64) (Chain Or)];
                ShiftLogicalLeftImm64_into_Xor_into_ShiftLogicalRightImm64 = ShiftLogicalLeftImm64_into_Xor (Chain ShiftLogicalRightImm64) [ShiftLogicalLeftImm64 (Chain Xor) (Chain ShiftLogicalRightImm64)];
                ShiftLogicalRightImm32_LoadIndirectU64_into_Xor = ShiftLogicalRightImm32_LoadIndirectU64 (Chain Xor) [ShiftLogicalRightImm32 (Then LoadIndirectU64) (Chain Xor)];
                ShiftLogicalRightImm32_into_Xor_ShiftLogicalRightImm32 = ShiftLogicalRightImm32_into_Xor (Then ShiftLogicalRightImm32) [ShiftLogicalRightImm32 (Chain Xor) (Then ShiftLogicalRightImm32)];
                ShiftLogicalRightImm64_LoadIndirectU64_into_ShiftLogicalLeftImm64 = ShiftLogicalRightImm64_LoadIndirectU64 (Chain ShiftLogicalLeftImm64) [ShiftLogicalRightImm64 (Then LoadIndirectU64) (Chain ShiftLogicalLeftImm64)];
                ShiftLogicalRightImm64_LoadIndirectU64_into_Xor = ShiftLogicalRightImm64_LoadIndirectU64 (Chain Xor) [ShiftLogicalRightImm64 (Then LoadIndirectU64) (Chain Xor)];
                ShiftLogicalRightImm64_SetLessThanUnsigned_Add64 = ShiftLogicalRightImm64_SetLessThanUnsigned (Then Add64) [ShiftLogicalRightImm64 (Then SetLessThanUnsigned) (Then Add64)];
                ShiftLogicalRightImm64_SetLessThanUnsigned_Sub64 = ShiftLogicalRightImm64_SetLessThanUnsigned (Then Sub64) [ShiftLogicalRightImm64 (Then SetLessThanUnsigned) (Then Sub64)];
                ShiftLogicalRightImm64_Sub64_XorImm = ShiftLogicalRightImm64_Sub64 (Then XorImm) [ShiftLogicalRightImm64 (Then Sub64) (Then XorImm)];
                StoreIndirectU32_StoreIndirectU32_ShiftLogicalLeftImm64 = StoreIndirectU32_StoreIndirectU32 (Then ShiftLogicalLeftImm64) [StoreIndirectU32 (Then StoreIndirectU32) (Then ShiftLogicalLeftImm64)];
                StoreIndirectU64_AddImm64_AddImm64 = StoreIndirectU64_AddImm64 (Then AddImm64) [StoreIndirectU64 (Then AddImm64) (Then AddImm64)];
                StoreIndirectU64_AddImm64_into_BranchLessUnsigned = StoreIndirectU64_AddImm64 (Chain BranchLessUnsigned) [StoreIndirectU64 (Then AddImm64) (Chain BranchLessUnsigned)];
                StoreIndirectU64_AddImm64_MoveReg = StoreIndirectU64_AddImm64 (Then MoveReg) [StoreIndirectU64 (Then AddImm64) (Then MoveReg)];
                StoreIndirectU64_AndInverted_And = StoreIndirectU64_AndInverted (Then And) [StoreIndirectU64 (Then AndInverted) (Then And)];
                StoreIndirectU64_LoadIndirectU64_into_Add64 = StoreIndirectU64_LoadIndirectU64 (Chain Add64) [StoreIndirectU64 (Then LoadIndirectU64) (Chain Add64)];
                StoreIndirectU64_LoadIndirectU64_AddImm64 = StoreIndirectU64_LoadIndirectU64 (Then AddImm64) [StoreIndirectU64 (Then LoadIndirectU64) (Then AddImm64)];
                StoreIndirectU64_LoadIndirectU64_LoadIndirectU64 = StoreIndirectU64_LoadIndirectU64 (Then LoadIndirectU64) [StoreIndirectU64 (Then LoadIndirectU64) (Then LoadIndirectU64)];
                StoreIndirectU64_LoadIndirectU64_into_Mul64 = StoreIndirectU64_LoadIndirectU64 (Chain Mul64) [StoreIndirectU64 (Then LoadIndirectU64) (Chain Mul64)];
                StoreIndirectU64_LoadIndirectU64_Mul64 = StoreIndirectU64_LoadIndirectU64 (Then Mul64) [StoreIndirectU64 (Then LoadIndirectU64) (Then Mul64)];
                StoreIndirectU64_LoadIndirectU64_into_MulUpperUnsignedUnsigned = StoreIndirectU64_LoadIndirectU64 (Chain MulUpperUnsignedUnsigned) [StoreIndirectU64 (Then LoadIndirectU64) (Chain MulUpperUnsignedUnsigned)];
                StoreIndirectU64_LoadIndirectU64_into_Xor = StoreIndirectU64_LoadIndirectU64 (Chain Xor) [StoreIndirectU64 (Then LoadIndirectU64) (Chain Xor)];
                StoreIndirectU64_MoveReg_BranchEq = StoreIndirectU64_MoveReg (Then BranchEq) [StoreIndirectU64 (Then MoveReg) (Then BranchEq)];
                StoreIndirectU64_Mul64_MulUpperUnsignedUnsigned = StoreIndirectU64_Mul64 (Then MulUpperUnsignedUnsigned) [StoreIndirectU64 (Then Mul64) (Then MulUpperUnsignedUnsigned)];
                StoreIndirectU64_Mul64_into_StoreIndirectU64 = StoreIndirectU64_Mul64 (Chain StoreIndirectU64) [StoreIndirectU64 (Then Mul64) (Chain StoreIndirectU64)];
                StoreIndirectU64_MulUpperUnsignedUnsigned_into_StoreIndirectU64 = StoreIndirectU64_MulUpperUnsignedUnsigned (Chain StoreIndirectU64) [StoreIndirectU64 (Then MulUpperUnsignedUnsigned) (Chain StoreIndirectU64)];
                StoreIndirectU64_RotateRightImm32_RotateRightImm32 = StoreIndirectU64_RotateRightImm32 (Then RotateRightImm32) [StoreIndirectU64 (Then RotateRightImm32) (Then RotateRightImm32)];
                StoreIndirectU64_SetLessThanUnsigned_LoadIndirectU64 = StoreIndirectU64_SetLessThanUnsigned (Then LoadIndirectU64) [StoreIndirectU64 (Then SetLessThanUnsigned) (Then LoadIndirectU64)];
                StoreIndirectU64_ShiftLogicalRightImm32_into_Xor = StoreIndirectU64_ShiftLogicalRightImm32 (Chain Xor) [StoreIndirectU64 (Then ShiftLogicalRightImm32) (Chain Xor)];
                StoreIndirectU64_StoreIndirectU64_AddImm64 = StoreIndirectU64_StoreIndirectU64 (Then AddImm64) [StoreIndirectU64 (Then StoreIndirectU64) (Then AddImm64)];
                StoreIndirectU64_StoreIndirectU64_BranchEq = StoreIndirectU64_StoreIndirectU64 (Then BranchEq) [StoreIndirectU64 (Then StoreIndirectU64) (Then BranchEq)];
                StoreIndirectU64_StoreIndirectU64_LoadIndirectU64 = StoreIndirectU64_StoreIndirectU64 (Then LoadIndirectU64) [StoreIndirectU64 (Then StoreIndirectU64) (Then LoadIndirectU64)];
                StoreIndirectU64_StoreIndirectU64_StoreIndirectU64 = StoreIndirectU64_StoreIndirectU64 (Then StoreIndirectU64) [StoreIndirectU64 (Then StoreIndirectU64) (Then StoreIndirectU64)];
                Sub64_into_AndImm_LoadImm = Sub64_into_AndImm (Then LoadImm) [Sub64 (Chain AndImm) (Then LoadImm)];
                Sub64_XorImm_Add64 = Sub64_XorImm (Then Add64) [Sub64 (Then XorImm) (Then Add64)];
                Sub64_XorImm_MinimumUnsigned = Sub64_XorImm (Then MinimumUnsigned) [Sub64 (Then XorImm) (Then MinimumUnsigned)];
                Unlikely_Add64_LoadIndirectU64 = Unlikely_Add64 (Then LoadIndirectU64) [Unlikely (Then Add64) (Then LoadIndirectU64)];
                Unlikely_Add64_into_LoadIndirectU8 = Unlikely_Add64 (Chain LoadIndirectU8) [Unlikely (Then Add64) (Chain LoadIndirectU8)];
                Unlikely_LoadIndirectU64_AddImm64 = Unlikely_LoadIndirectU64 (Then AddImm64) [Unlikely (Then LoadIndirectU64) (Then AddImm64)];
                Unlikely_LoadIndirectU64_into_BranchEq = Unlikely_LoadIndirectU64 (Chain BranchEq) [Unlikely (Then LoadIndirectU64) (Chain BranchEq)];
                Unlikely_LoadIndirectU64_into_BranchNotEq = Unlikely_LoadIndirectU64 (Chain BranchNotEq) [Unlikely (Then LoadIndirectU64) (Chain BranchNotEq)];
                Unlikely_LoadIndirectU64_MoveReg = Unlikely_LoadIndirectU64 (Then MoveReg) [Unlikely (Then LoadIndirectU64) (Then MoveReg)];
                Unlikely_LoadIndirectU64_SetLessThanUnsigned = Unlikely_LoadIndirectU64 (Then SetLessThanUnsigned) [Unlikely (Then LoadIndirectU64) (Then SetLessThanUnsigned)];
                Unlikely_LoadIndirectU64_into_StoreIndirectU64 = Unlikely_LoadIndirectU64 (Chain StoreIndirectU64) [Unlikely (Then LoadIndirectU64) (Chain StoreIndirectU64)];
                Unlikely_ShiftLogicalLeftImm64_into_Add64 = Unlikely_ShiftLogicalLeftImm64 (Chain Add64) [Unlikely (Then ShiftLogicalLeftImm64) (Chain Add64)];
                Xor_Add64_Add64 = Xor_Add64 (Then Add64) [Xor (Then Add64) (Then Add64)];
                Xor_AddImm64_ShiftLogicalRightImm64 = Xor_AddImm64 (Then ShiftLogicalRightImm64) [Xor (Then AddImm64) (Then ShiftLogicalRightImm64)];
                Xor_into_And_And = Xor_into_And (Then And) [Xor (Chain And) (Then And)];
                Xor_LoadIndirectU64_into_Add64 = Xor_LoadIndirectU64 (Chain Add64) [Xor (Then LoadIndirectU64) (Chain Add64)];
                Xor_LoadIndirectU64_LoadIndirectU64 = Xor_LoadIndirectU64 (Then LoadIndirectU64) [Xor (Then LoadIndirectU64) (Then LoadIndirectU64)];
                Xor_LoadIndirectU64_into_Xor = Xor_LoadIndirectU64 (Chain Xor) [Xor (Then LoadIndirectU64) (Chain Xor)];
                Xor_RotateRightImm32_RotateRightImm32 = Xor_RotateRightImm32 (Then RotateRightImm32) [Xor (Then RotateRightImm32) (Then RotateRightImm32)];
                Xor_RotateRightImm32_into_Xor = Xor_RotateRightImm32 (Chain Xor) [Xor (Then RotateRightImm32) (Chain Xor)];
                Xor_SetLessThanUnsigned_ShiftLogicalRightImm64 = Xor_SetLessThanUnsigned (Then ShiftLogicalRightImm64) [Xor (Then SetLessThanUnsigned) (Then ShiftLogicalRightImm64)];
                Xor_into_ShiftLogicalLeftImm64_AndImm = Xor_into_ShiftLogicalLeftImm64 (Then AndImm) [Xor (Chain ShiftLogicalLeftImm64) (Then AndImm)];
                Xor_into_ShiftLogicalLeftImm64_StoreIndirectU8 = Xor_into_ShiftLogicalLeftImm64 (Then StoreIndirectU8) [Xor (Chain ShiftLogicalLeftImm64) (Then StoreIndirectU8)];
                Xor_into_ShiftLogicalLeftImm64_into_Xor = Xor_into_ShiftLogicalLeftImm64 (Chain Xor) [Xor (Chain ShiftLogicalLeftImm64) (Chain Xor)];
                Xor_into_StoreIndirectU64_AddImm64 = Xor_into_StoreIndirectU64 (Then AddImm64) [Xor (Chain StoreIndirectU64) (Then AddImm64)];
                Xor_into_StoreIndirectU64_AndInverted = Xor_into_StoreIndirectU64 (Then AndInverted) [Xor (Chain StoreIndirectU64) (Then AndInverted)];
                Xor_into_StoreIndirectU64_LoadIndirectU64 = Xor_into_StoreIndirectU64 (Then LoadIndirectU64) [Xor (Chain StoreIndirectU64) (Then LoadIndirectU64)];
                Xor_Xor_Xor = Xor_Xor (Then Xor) [Xor (Then Xor) (Then Xor)];
                XorImm_into_Add64_BranchNotEq = XorImm_into_Add64 (Then BranchNotEq) [XorImm (Chain Add64) (Then BranchNotEq)];
                XorImm_Add64_MinimumUnsigned = XorImm_Add64 (Then MinimumUnsigned) [XorImm (Then Add64) (Then MinimumUnsigned)];
                XorImm_MinimumUnsigned_ShiftLogicalLeftImm64 = XorImm_MinimumUnsigned (Then ShiftLogicalLeftImm64) [XorImm (Then MinimumUnsigned) (Then ShiftLogicalLeftImm64)];
                Add64_Add64_StoreIndirectU8_BranchLessUnsigned = Add64_Add64_StoreIndirectU8 (Then BranchLessUnsigned) [Add64 (Then Add64) (Then StoreIndirectU8) (Then BranchLessUnsigned)];
                Add64_AddImm64_into_Add64_Add64 = Add64_AddImm64_into_Add64 (Then Add64) [Add64 (Then AddImm64) (Chain Add64) (Then Add64)];
                Add64_AddImm64_MoveReg_MoveReg = Add64_AddImm64_MoveReg (Then MoveReg) [Add64 (Then AddImm64) (Then MoveReg) (Then MoveReg)];
                Add64_And_Xor_SetLessThanUnsigned = Add64_And_Xor (Then SetLessThanUnsigned) [Add64 (Then And) (Then Xor) (Then SetLessThanUnsigned)];
                Add64_LoadIndirectU64_into_Add64_into_Add64 = Add64_LoadIndirectU64_into_Add64 (Chain Add64) [Add64 (Then LoadIndirectU64) (Chain Add64) (Chain Add64)];
                Add64_LoadIndirectU64_LoadIndirectU64_LoadIndirectU64 = Add64_LoadIndirectU64_LoadIndirectU64 (Then LoadIndirectU64) [Add64 (Then LoadIndirectU64) (Then LoadIndirectU64) (Then LoadIndirectU64)];
                Add64_into_SetLessThanUnsigned_into_Add64_ShiftLogicalRightImm64 = Add64_into_SetLessThanUnsigned_into_Add64 (Then ShiftLogicalRightImm64) [Add64 (Chain SetLessThanUnsigned) (Chain Add64) (Then ShiftLogicalRightImm64)];
                Add64_into_SetLessThanUnsigned_into_Add64_into_StoreIndirectU64 = Add64_into_SetLessThanUnsigned_into_Add64 (Chain StoreIndirectU64) [Add64 (Chain SetLessThanUnsigned) (Chain Add64) (Chain StoreIndirectU64)];
                Add64_into_SetLessThanUnsigned_LoadIndirectU64_into_Add64 = Add64_into_SetLessThanUnsigned_LoadIndirectU64 (Chain Add64) [Add64 (Chain SetLessThanUnsigned) (Then LoadIndirectU64) (Chain Add64)];
                Add64_ShiftLogicalRightImm64_SetLessThanUnsigned_Sub64 = Add64_ShiftLogicalRightImm64_SetLessThanUnsigned (Then Sub64) [Add64 (Then ShiftLogicalRightImm64) (Then SetLessThanUnsigned) (Then Sub64)];
                Add64_StoreIndirectU16_Mul64_into_ShiftLogicalRightImm64 = Add64_StoreIndirectU16_Mul64 (Chain ShiftLogicalRightImm64) [Add64 (Then StoreIndirectU16) (Then Mul64) (Chain ShiftLogicalRightImm64)];
                Add64_StoreIndirectU32_Mul64_into_ShiftLogicalRightImm64 = Add64_StoreIndirectU32_Mul64 (Chain ShiftLogicalRightImm64) [Add64 (Then StoreIndirectU32) (Then Mul64) (Chain ShiftLogicalRightImm64)];
                AddImm64_AddImm64_AddImm64_BranchNotEqImm = AddImm64_AddImm64_AddImm64 (Then BranchNotEqImm) [AddImm64 (Then AddImm64) (Then AddImm64) (Then BranchNotEqImm)];
                AddImm64_MoveReg_MoveReg_LoadImmAndJump = AddImm64_MoveReg_MoveReg (Then LoadImmAndJump) [AddImm64 (Then MoveReg) (Then MoveReg) (Then LoadImmAndJump)];
                AddImm64_MoveReg_MoveReg_MoveReg = AddImm64_MoveReg_MoveReg (Then MoveReg) [AddImm64 (Then MoveReg) (Then MoveReg) (Then MoveReg)];
                AddImm64_StoreIndirectU64_AddImm64_BranchEq = AddImm64_StoreIndirectU64_AddImm64 (Then BranchEq) [AddImm64 (Then StoreIndirectU64) (Then AddImm64) (Then BranchEq)];
                AddImm64_StoreIndirectU64_AddImm64_BranchLessUnsigned = AddImm64_StoreIndirectU64_AddImm64 (Then BranchLessUnsigned) [AddImm64 (Then StoreIndirectU64) (Then AddImm64) (Then BranchLessUnsigned)];
                AddImm64_StoreIndirectU64_StoreIndirectU64_StoreIndirectU64 = AddImm64_StoreIndirectU64_StoreIndirectU64 (Then StoreIndirectU64) [AddImm64 (Then StoreIndirectU64) (Then StoreIndirectU64) (Then StoreIndirectU64)];
                And_Xor_SetLessThanUnsigned_ShiftLogicalRightImm64 = And_Xor_SetLessThanUnsigned (Then ShiftLogicalRightImm64) [And (Then Xor) (Then SetLessThanUnsigned) (Then ShiftLogicalRightImm64)];
                AndImm_into_ShiftLogicalLeftImm64_into_Add64_into_LoadIndirectU8 = AndImm_into_ShiftLogicalLeftImm64_into_Add64 (Chain LoadIndirectU8) [AndImm (Chain ShiftLogicalLeftImm64) (Chain Add64) (Chain LoadIndirectU8)];
                LoadImm_AddImm64_ShiftLogicalLeftImm64_Fallthrough = LoadImm_AddImm64_ShiftLogicalLeftImm64 (Then Fallthrough) [LoadImm (Then AddImm64) (Then ShiftLogicalLeftImm64) (Then Fallthrough)];
                LoadImm_MoveReg_LoadImm_BranchLessUnsigned = LoadImm_MoveReg_LoadImm (Then BranchLessUnsigned) [LoadImm (Then MoveReg) (Then LoadImm) (Then BranchLessUnsigned)];
                LoadIndirectI32_Add64_into_LoadIndirectI32_SetLessThanUnsigned = LoadIndirectI32_Add64_into_LoadIndirectI32 (Then SetLessThanUnsigned) [LoadIndirectI32 (Then Add64) (Chain LoadIndirectI32) (Then SetLessThanUnsigned)];
                LoadIndirectU64_into_Add64_into_Add64_And = LoadIndirectU64_into_Add64_into_Add64 (Then And) [LoadIndirectU64 (Chain Add64) (Chain Add64) (Then And)];
                LoadIndirectU64_into_Add64_into_Add64_into_StoreIndirectU64 = LoadIndirectU64_into_Add64_into_Add64 (Chain StoreIndirectU64) [LoadIndirectU64 (Chain Add64) (Chain Add64) (Chain StoreIndirectU64)];
                LoadIndirectU64_into_Add64_LoadIndirectU64_into_Add64 = LoadIndirectU64_into_Add64_LoadIndirectU64 (Chain Add64) [LoadIndirectU64 (Chain Add64) (Then LoadIndirectU64) (Chain Add64)];
                LoadIndirectU64_into_Add64_LoadIndirectU64_LoadIndirectU64 = LoadIndirectU64_into_Add64_LoadIndirectU64 (Then LoadIndirectU64) [LoadIndirectU64 (Chain Add64) (Then LoadIndirectU64) (Then LoadIndirectU64)];
                LoadIndirectU64_into_Add64_RotateRightImm32_into_Xor = LoadIndirectU64_into_Add64_RotateRightImm32 (Chain Xor) [LoadIndirectU64 (Chain Add64) (Then RotateRightImm32) (Chain Xor)];
                LoadIndirectU64_into_Add64_into_SetLessThanUnsigned_into_Add64 = LoadIndirectU64_into_Add64_into_SetLessThanUnsigned (Chain Add64) [LoadIndirectU64 (Chain Add64) (Chain SetLessThanUnsigned) (Chain Add64)];
                LoadIndirectU64_into_Add64_ShiftLogicalRightImm64_SetLessThanUnsigned = LoadIndirectU64_into_Add64_ShiftLogicalRightImm64 (Then SetLessThanUnsigned) [LoadIndirectU64 (Chain Add64) (Then ShiftLogicalRightImm64) (Then SetLessThanUnsigned)];
                LoadIndirectU64_into_Add64_into_StoreIndirectU64_Fallthrough = LoadIndirectU64_into_Add64_into_StoreIndirectU64 (Then Fallthrough) [LoadIndirectU64 (Chain Add64) (Chain StoreIndirectU64) (Then Fallthrough)];
                LoadIndirectU64_into_Add64_into_StoreIndirectU64_LoadIndirectU64 = LoadIndirectU64_into_Add64_into_StoreIndirectU64 (Then LoadIndirectU64) [LoadIndirectU64 (Chain Add64) (Chain StoreIndirectU64) (Then LoadIndirectU64)];
                LoadIndirectU64_into_Add64_into_StoreIndirectU64_Mul64 = LoadIndirectU64_into_Add64_into_StoreIndirectU64 (Then Mul64) [LoadIndirectU64 (Chain Add64) (Chain StoreIndirectU64) (Then Mul64)];
                LoadIndirectU64_into_Add64_into_StoreIndirectU64_SetLessThanUnsigned = LoadIndirectU64_into_Add64_into_StoreIndirectU64 (Then SetLessThanUnsigned) [LoadIndirectU64 (Chain Add64) (Chain StoreIndirectU64) (Then SetLessThanUnsigned)];
                LoadIndirectU64_AddImm64_CmovIfNotZero_Jump = LoadIndirectU64_AddImm64_CmovIfNotZero (Then Jump) [LoadIndirectU64 (Then AddImm64) (Then CmovIfNotZero) (Then Jump)];
                LoadIndirectU64_AddImm64_LoadIndirectU16_into_BranchNotEqImm = LoadIndirectU64_AddImm64_LoadIndirectU16 (Chain BranchNotEqImm) [LoadIndirectU64 (Then AddImm64) (Then LoadIndirectU16) (Chain BranchNotEqImm)];
                LoadIndirectU64_LoadIndirectU64_AddImm64_JumpIndirect = LoadIndirectU64_LoadIndirectU64_AddImm64 (Then JumpIndirect) [LoadIndirectU64 (Then LoadIndirectU64) (Then AddImm64) (Then JumpIndirect)];
                LoadIndirectU64_LoadIndirectU64_AddImm64_Mul64 = LoadIndirectU64_LoadIndirectU64_AddImm64 (Then Mul64) [LoadIndirectU64 (Then LoadIndirectU64) (Then AddImm64) (Then Mul64)];
                LoadIndirectU64_LoadIndirectU64_LoadIndirectU64_AddImm64 = LoadIndirectU64_LoadIndirectU64_LoadIndirectU64 (Then AddImm64) [LoadIndirectU64 (Then LoadIndirectU64) (Then LoadIndirectU64) (Then AddImm64)];
                LoadIndirectU64_LoadIndirectU64_LoadIndirectU64_LoadIndirectU64 = LoadIndirectU64_LoadIndirectU64_LoadIndirectU64 (Then LoadIndirectU64) [LoadIndirectU64 (Then LoadIndirectU64) (Then LoadIndirectU64) (Then LoadIndirectU64)];
                LoadIndirectU64_LoadIndirectU64_LoadIndirectU64_into_StoreIndirectU64 = LoadIndirectU64_LoadIndirectU64_LoadIndirectU64 (Chain StoreIndirectU64) [LoadIndirectU64 (Then LoadIndirectU64) (Then LoadIndirectU64) (Chain StoreIndirectU64)];
                LoadIndirectU64_LoadIndirectU64_into_Xor_into_Xor = LoadIndirectU64_LoadIndirectU64_into_Xor (Chain Xor) [LoadIndirectU64 (Then LoadIndirectU64) (Chain Xor) (Chain Xor)];
                LoadIndirectU64_into_LoadIndirectU8_LoadIndirectU64_into_LoadIndirectI8 = LoadIndirectU64_into_LoadIndirectU8_LoadIndirectU64 (Chain LoadIndirectI8) [LoadIndirectU64 (Chain LoadIndirectU8) (Then LoadIndirectU64) (Chain LoadIndirectI8)];
                LoadIndirectU64_into_LoadIndirectU8_LoadIndirectU64_into_LoadIndirectU8 = LoadIndirectU64_into_LoadIndirectU8_LoadIndirectU64 (Chain LoadIndirectU8) [LoadIndirectU64 (Chain LoadIndirectU8) (Then LoadIndirectU64) (Chain LoadIndirectU8)];
                LoadIndirectU64_into_Mul64_into_StoreIndirectU64_Jump = LoadIndirectU64_into_Mul64_into_StoreIndirectU64 (Then Jump) [LoadIndirectU64 (Chain Mul64) (Chain StoreIndirectU64) (Then Jump)];
                LoadIndirectU64_Mul64_into_ShiftArithmeticRightImm64_LoadIndirectU64 = LoadIndirectU64_Mul64_into_ShiftArithmeticRightImm64 (Then LoadIndirectU64) [LoadIndirectU64 (Then Mul64) (Chain ShiftArithmeticRightImm64) (Then LoadIndirectU64)];
                LoadIndirectU64_into_ShiftLogicalRightImm64_into_StoreIndirectU64_Jump = LoadIndirectU64_into_ShiftLogicalRightImm64_into_StoreIndirectU64 (Then Jump) [LoadIndirectU64 (Chain ShiftLogicalRightImm64) (Chain StoreIndirectU64) (Then Jump)];
                LoadIndirectU64_into_StoreIndirectU64_LoadIndirectU64_into_StoreIndirectU64 = LoadIndirectU64_into_StoreIndirectU64_LoadIndirectU64 (Chain StoreIndirectU64) [LoadIndirectU64 (Chain StoreIndirectU64) (Then LoadIndirectU64) (Chain StoreIndirectU64)];
                LoadIndirectU64_into_Xor_LoadIndirectU64_into_BranchNotEq = LoadIndirectU64_into_Xor_LoadIndirectU64 (Chain BranchNotEq) [LoadIndirectU64 (Chain Xor) (Then LoadIndirectU64) (Chain BranchNotEq)];
                LoadIndirectU64_into_Xor_into_StoreIndirectU64_LoadIndirectU64 = LoadIndirectU64_into_Xor_into_StoreIndirectU64 (Then LoadIndirectU64) [LoadIndirectU64 (Chain Xor) (Chain StoreIndirectU64) (Then LoadIndirectU64)];
                LoadIndirectU8_LoadIndirectU8_LoadIndirectU8_LoadIndirectU64 = LoadIndirectU8_LoadIndirectU8_LoadIndirectU8 (Then LoadIndirectU64) [LoadIndirectU8 (Then LoadIndirectU8) (Then LoadIndirectU8) (Then LoadIndirectU64)];
                LoadIndirectU8_LoadIndirectU8_LoadIndirectU8_LoadIndirectU8 = LoadIndirectU8_LoadIndirectU8_LoadIndirectU8 (Then LoadIndirectU8) [LoadIndirectU8 (Then LoadIndirectU8) (Then LoadIndirectU8) (Then LoadIndirectU8)];
                MaximumUnsigned_MinimumUnsigned_MaximumUnsigned_MinimumUnsigned = MaximumUnsigned_MinimumUnsigned_MaximumUnsigned (Then MinimumUnsigned) [MaximumUnsigned (Then MinimumUnsigned) (Then MaximumUnsigned) (Then MinimumUnsigned)];
                MoveReg_LoadIndirectU64_LoadIndirectU64_ShiftLogicalRight64 = MoveReg_LoadIndirectU64_LoadIndirectU64 (Then ShiftLogicalRight64) [MoveReg (Then LoadIndirectU64) (Then LoadIndirectU64) (Then ShiftLogicalRight64)];
                MoveReg_MoveReg_MoveReg_BranchNotEqImm = MoveReg_MoveReg_MoveReg (Then BranchNotEqImm) [MoveReg (Then MoveReg) (Then MoveReg) (Then BranchNotEqImm)];
                Mul64_into_Add64_AddImm64_BranchNotEq = Mul64_into_Add64_AddImm64 (Then BranchNotEq) [Mul64 (Chain Add64) (Then AddImm64) (Then BranchNotEq)];
                Mul64_into_Add64_into_StoreIndirectU64_SetLessThanUnsigned = Mul64_into_Add64_into_StoreIndirectU64 (Then SetLessThanUnsigned) [Mul64 (Chain Add64) (Chain StoreIndirectU64) (Then SetLessThanUnsigned)];
                Mul64_into_StoreIndirectU64_MulUpperUnsignedUnsigned_into_StoreIndirectU64 = Mul64_into_StoreIndirectU64_MulUpperUnsignedUnsigned (Chain StoreIndirectU64) [Mul64 (Chain StoreIndirectU64) (Then MulUpperUnsignedUnsigned) (Chain StoreIndirectU64)];
                MulUpperUnsignedUnsigned_LoadIndirectU64_into_Add64_into_StoreIndirectU64 = MulUpperUnsignedUnsigned_LoadIndirectU64_into_Add64 (Chain StoreIndirectU64) [MulUpperUnsignedUnsigned (Then LoadIndirectU64) (Chain Add64) (Chain StoreIndirectU64)];
                Or_into_StoreIndirectU64_LoadIndirectU64_LoadIndirectU64 = Or_into_StoreIndirectU64_LoadIndirectU64 (Then LoadIndirectU64) [Or (Chain StoreIndirectU64) (Then LoadIndirectU64) (Then LoadIndirectU64)];
                RotateRightImm32_RotateRightImm32_MoveReg_Xor = RotateRightImm32_RotateRightImm32_MoveReg (Then Xor) [RotateRightImm32 (Then RotateRightImm32) (Then MoveReg) (Then Xor)];
                RotateRightImm32_RotateRightImm32_into_Xor_LoadIndirectU64 = RotateRightImm32_RotateRightImm32_into_Xor (Then LoadIndirectU64) [RotateRightImm32 (Then RotateRightImm32) (Chain Xor) (Then LoadIndirectU64)];
                RotateRightImm32_RotateRightImm32_into_Xor_into_StoreIndirectU64 = RotateRightImm32_RotateRightImm32_into_Xor (Chain StoreIndirectU64) [RotateRightImm32 (Then RotateRightImm32) (Chain Xor) (Chain StoreIndirectU64)];
                RotateRightImm32_into_Xor_LoadIndirectU64_into_Add64 = RotateRightImm32_into_Xor_LoadIndirectU64 (Chain Add64) [RotateRightImm32 (Chain Xor) (Then LoadIndirectU64) (Chain Add64)];
                RotateRightImm64_LoadIndirectU64_into_RotateRightImm64_into_AndInverted = RotateRightImm64_LoadIndirectU64_into_RotateRightImm64 (Chain AndInverted) [RotateRightImm64 (Then LoadIndirectU64) (Chain RotateRightImm64) (Chain AndInverted)];
                RotateRightImm64_LoadIndirectU64_into_RotateRightImm64_AndInverted = RotateRightImm64_LoadIndirectU64_into_RotateRightImm64 (Then AndInverted) [RotateRightImm64 (Then LoadIndirectU64) (Chain RotateRightImm64) (Then AndInverted)];
                RotateRightImm64_LoadIndirectU64_into_RotateRightImm64_LoadIndirectU64 = RotateRightImm64_LoadIndirectU64_into_RotateRightImm64 (Then LoadIndirectU64) [RotateRightImm64 (Then LoadIndirectU64) (Chain RotateRightImm64) (Then LoadIndirectU64)];
                RotateRightImm64_into_Xor_RotateRightImm64_into_Xor = RotateRightImm64_into_Xor_RotateRightImm64 (Chain Xor) [RotateRightImm64 (Chain Xor) (Then RotateRightImm64) (Chain Xor)];
                SetLessThanUnsigned_ShiftLogicalRightImm64_Sub64_XorImm = SetLessThanUnsigned_ShiftLogicalRightImm64_Sub64 (Then XorImm) [SetLessThanUnsigned (Then ShiftLogicalRightImm64) (Then Sub64) (Then XorImm)];
                SetLessThanUnsigned_into_Sub64_into_AndImm_into_BranchNotEq = SetLessThanUnsigned_into_Sub64_into_AndImm (Chain BranchNotEq) [SetLessThanUnsigned (Chain Sub64) (Chain AndImm) (Chain BranchNotEq)];
                ShiftLogicalLeftImm64_into_Add64_into_LoadIndirectI32_into_Add64 = ShiftLogicalLeftImm64_into_Add64_into_LoadIndirectI32 (Chain Add64) [ShiftLogicalLeftImm64 (Chain Add64) (Chain LoadIndirectI32) (Chain Add64)];
                ShiftLogicalLeftImm64_into_Add64_into_LoadIndirectI32_LoadIndirectI32 = ShiftLogicalLeftImm64_into_Add64_into_LoadIndirectI32 (Then LoadIndirectI32) [ShiftLogicalLeftImm64 (Chain Add64) (Chain LoadIndirectI32) (Then LoadIndirectI32)];
                ShiftLogicalLeftImm64_ShiftLogicalLeftImm64_AddImm64_AddImm64 = ShiftLogicalLeftImm64_ShiftLogicalLeftImm64_AddImm64 (Then AddImm64) [ShiftLogicalLeftImm64 (Then ShiftLogicalLeftImm64) (Then AddImm64) (Then AddImm64)];
                ShiftLogicalRightImm32_into_Xor_ShiftLogicalRightImm32_into_Xor = ShiftLogicalRightImm32_into_Xor_ShiftLogicalRightImm32 (Chain Xor) [ShiftLogicalRightImm32 (Chain Xor) (Then ShiftLogicalRightImm32) (Chain Xor)];
                ShiftLogicalRightImm64_LoadIndirectU64_into_ShiftLogicalLeftImm64_into_Or = ShiftLogicalRightImm64_LoadIndirectU64_into_ShiftLogicalLeftImm64 (Chain Or) [ShiftLogicalRightImm64 (Then LoadIndirectU64) (Chain ShiftLogicalLeftImm64) (Chain Or)];
                ShiftLogicalRightImm64_LoadIndirectU64_into_Xor_into_StoreIndirectU64 = ShiftLogicalRightImm64_LoadIndirectU64_into_Xor (Chain StoreIndirectU64) [ShiftLogicalRightImm64 (Then LoadIndirectU64) (Chain Xor) (Chain StoreIndirectU64)];
                ShiftLogicalRightImm64_Sub64_XorImm_Add64 = ShiftLogicalRightImm64_Sub64_XorImm (Then Add64) [ShiftLogicalRightImm64 (Then Sub64) (Then XorImm) (Then Add64)];
                StoreIndirectU64_AddImm64_MoveReg_BranchLessUnsigned = StoreIndirectU64_AddImm64_MoveReg (Then BranchLessUnsigned) [StoreIndirectU64 (Then AddImm64) (Then MoveReg) (Then BranchLessUnsigned)];
                StoreIndirectU64_AddImm64_MoveReg_MoveReg = StoreIndirectU64_AddImm64_MoveReg (Then MoveReg) [StoreIndirectU64 (Then AddImm64) (Then MoveReg) (Then MoveReg)];
                StoreIndirectU64_AndInverted_And_into_Or = StoreIndirectU64_AndInverted_And (Chain Or) [StoreIndirectU64 (Then AndInverted) (Then And) (Chain Or)];
                StoreIndirectU64_LoadIndirectU64_into_Add64_LoadIndirectU64 = StoreIndirectU64_LoadIndirectU64_into_Add64 (Then LoadIndirectU64) [StoreIndirectU64 (Then LoadIndirectU64) (Chain Add64) (Then LoadIndirectU64)];
                StoreIndirectU64_LoadIndirectU64_into_Add64_into_SetLessThanUnsigned = StoreIndirectU64_LoadIndirectU64_into_Add64 (Chain SetLessThanUnsigned) [StoreIndirectU64 (Then LoadIndirectU64) (Chain Add64) (Chain SetLessThanUnsigned)];
                StoreIndirectU64_LoadIndirectU64_AddImm64_LoadImmAndJump = StoreIndirectU64_LoadIndirectU64_AddImm64 (Then LoadImmAndJump) [StoreIndirectU64 (Then LoadIndirectU64) (Then AddImm64) (Then LoadImmAndJump)];
                StoreIndirectU64_Mul64_into_StoreIndirectU64_MulUpperUnsignedUnsigned = StoreIndirectU64_Mul64_into_StoreIndirectU64 (Then MulUpperUnsignedUnsigned) [StoreIndirectU64 (Then Mul64) (Chain StoreIndirectU64) (Then MulUpperUnsignedUnsigned)];
                StoreIndirectU64_MulUpperUnsignedUnsigned_into_StoreIndirectU64_Mul64 = StoreIndirectU64_MulUpperUnsignedUnsigned_into_StoreIndirectU64 (Then Mul64) [StoreIndirectU64 (Then MulUpperUnsignedUnsigned) (Chain StoreIndirectU64) (Then Mul64)];
                StoreIndirectU64_ShiftLogicalRightImm32_into_Xor_into_StoreIndirectU64 = StoreIndirectU64_ShiftLogicalRightImm32_into_Xor (Chain StoreIndirectU64) [StoreIndirectU64 (Then ShiftLogicalRightImm32) (Chain Xor) (Chain StoreIndirectU64)];
                StoreIndirectU64_StoreIndirectU64_AddImm64_MoveReg = StoreIndirectU64_StoreIndirectU64_AddImm64 (Then MoveReg) [StoreIndirectU64 (Then StoreIndirectU64) (Then AddImm64) (Then MoveReg)];
                StoreIndirectU64_StoreIndirectU64_StoreIndirectU64_AddImm64 = StoreIndirectU64_StoreIndirectU64_StoreIndirectU64 (Then AddImm64) [StoreIndirectU64 (Then StoreIndirectU64) (Then StoreIndirectU64) (Then AddImm64)];
                Sub64_XorImm_Add64_MinimumUnsigned = Sub64_XorImm_Add64 (Then MinimumUnsigned) [Sub64 (Then XorImm) (Then Add64) (Then MinimumUnsigned)];
                Unlikely_Add64_into_LoadIndirectU8_into_BranchNotEqImm = Unlikely_Add64_into_LoadIndirectU8 (Chain BranchNotEqImm) [Unlikely (Then Add64) (Chain LoadIndirectU8) (Chain BranchNotEqImm)];
                Unlikely_LoadIndirectU64_AddImm64_into_BranchNotEq = Unlikely_LoadIndirectU64_AddImm64 (Chain BranchNotEq) [Unlikely (Then LoadIndirectU64) (Then AddImm64) (Chain BranchNotEq)];
                Unlikely_LoadIndirectU64_MoveReg_BranchNotEq = Unlikely_LoadIndirectU64_MoveReg (Then BranchNotEq) [Unlikely (Then LoadIndirectU64) (Then MoveReg) (Then BranchNotEq)];
                Xor_into_And_And_into_Xor = Xor_into_And_And (Chain Xor) [Xor (Chain And) (Then And) (Chain Xor)];
                Xor_LoadIndirectU64_LoadIndirectU64_into_Xor = Xor_LoadIndirectU64_LoadIndirectU64 (Chain Xor) [Xor (Then LoadIndirectU64) (Then LoadIndirectU64) (Chain Xor)];
                Xor_SetLessThanUnsigned_ShiftLogicalRightImm64_Sub64 = Xor_SetLessThanUnsigned_ShiftLogicalRightImm64 (Then Sub64) [Xor (Then SetLessThanUnsigned) (Then ShiftLogicalRightImm64) (Then Sub64)];
                Xor_into_ShiftLogicalLeftImm64_StoreIndirectU8_Xor = Xor_into_ShiftLogicalLeftImm64_StoreIndirectU8 (Then Xor) [Xor (Chain ShiftLogicalLeftImm64) (Then StoreIndirectU8) (Then Xor)];
                Xor_into_ShiftLogicalLeftImm64_into_Xor_into_RemUnsigned64 = Xor_into_ShiftLogicalLeftImm64_into_Xor (Chain RemUnsigned64) [Xor (Chain ShiftLogicalLeftImm64) (Chain Xor) (Chain RemUnsigned64)];
                Xor_into_StoreIndirectU64_AndInverted_AndInverted = Xor_into_StoreIndirectU64_AndInverted (Then AndInverted) [Xor (Chain StoreIndirectU64) (Then AndInverted) (Then AndInverted)];
                Xor_into_StoreIndirectU64_LoadIndirectU64_into_RotateRightImm64 = Xor_into_StoreIndirectU64_LoadIndirectU64 (Chain RotateRightImm64) [Xor (Chain StoreIndirectU64) (Then LoadIndirectU64) (Chain RotateRightImm64)];
                Xor_into_StoreIndirectU64_LoadIndirectU64_into_Xor = Xor_into_StoreIndirectU64_LoadIndirectU64 (Chain Xor) [Xor (Chain StoreIndirectU64) (Then LoadIndirectU64) (Chain Xor)];
                XorImm_Add64_MinimumUnsigned_ShiftLogicalLeftImm64 = XorImm_Add64_MinimumUnsigned (Then ShiftLogicalLeftImm64) [XorImm (Then Add64) (Then MinimumUnsigned) (Then ShiftLogicalLeftImm64)];
                XorImm_MinimumUnsigned_ShiftLogicalLeftImm64_into_Add64 = XorImm_MinimumUnsigned_ShiftLogicalLeftImm64 (Chain Add64) [XorImm (Then MinimumUnsigned) (Then ShiftLogicalLeftImm64) (Chain Add64)];
            }
        }
    };
}

pub(super) use for_each_kind;
