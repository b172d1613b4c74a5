//! The one table of instructions: every other list of them in this crate is made from it.
//!
//! A row says, in this order: the name (as a Rust identifier and as assembly text), the operand shape (which
//! registers and immediates follow the opcode and how they are encoded, see [`Shape`](super::Shape)), whether the
//! instruction ends a basic block, its class in the gas models ([`GasClass`](super::GasClass)), its opcode in each
//! instruction set (`_` where the set lacks it) and one line of documentation.
//!
//! In the documentation `d` is the destination register, `s`, `s1` and `s2` are source registers, `x` and `y` the
//! first and second immediate. Immediates are sign-extended to 64 bits. 32-bit results are sign-extended to the
//! 64-bit register. Addresses are the low 32 bits of the sum.

/// Calls the macro `$user` with the whole table.
macro_rules! for_each_instruction {
    ($user:ident) => {
        $user! {
            //                                                                                                                                  revive
            //                                                                                                                                      jam
            //                                                                                                                                          latest64
            //                                                                                                                                              gray-paper-0.7
            Trap                            "trap"                                 None               ends    Trap          [  0   0   0   0] "Stops with a trap";
            Fallthrough                     "fallthrough"                          None               ends    Trap          [  1   1   1   1] "Ends a block and goes on with the next";
            Memset                          "memset"                               None               goes_on Host          [  _   _   2   _] "Fills `a2` bytes at `a0` with the byte `a1`, one gas a byte";
            Unlikely                        "unlikely"                             None               goes_on Unlikely      [  _   2   3   _] "Marks the block as seldom reached: a hint to the gas model";
            Ecalli                          "ecalli"                               Imm                goes_on Host          [ 10  10  10  10] "Calls the host with the number `x`";
            LoadImm64                       "load_imm64"                           DestImm64          goes_on LoadImm64     [ 20  20  20  20] "`d = x`, all 64 bits";
            StoreImmU8                      "store_imm_u8"                         ImmImm             goes_on Store         [ 30  30  30  30] "`[x] = y`, 8-bit";
            StoreImmU16                     "store_imm_u16"                        ImmImm             goes_on Store         [ 31  31  31  31] "`[x] = y`, 16-bit";
            StoreImmU32                     "store_imm_u32"                        ImmImm             goes_on Store         [ 32  32  32  32] "`[x] = y`, 32-bit";
            StoreImmU64                     "store_imm_u64"                        ImmImm             goes_on Store         [ 33  33  33  33] "`[x] = y`, 64-bit";
            Jump                            "jump"                                 Offset             ends    Jump          [ 40  40  40  40] "Jumps to the target";
            JumpIndirect                    "jump_indirect"                        SourceImm          ends    JumpIndirect  [ 50  50  50  50] "Jumps through the jump table to the code address `s + x`";
            LoadImm                         "load_imm"                             DestImm            goes_on LoadImm       [ 51  51  51  51] "`d = x`";
            LoadU8                          "load_u8"                              DestImm            goes_on Load          [ 52  52  52  52] "`d = [x]`, 8-bit, zero-extended";
            LoadI8                          "load_i8"                              DestImm            goes_on Load          [ 53  53  53  53] "`d = [x]`, 8-bit, sign-extended";
            LoadU16                         "load_u16"                             DestImm            goes_on Load          [ 54  54  54  54] "`d = [x]`, 16-bit, zero-extended";
            LoadI16                         "load_i16"                             DestImm            goes_on Load          [ 55  55  55  55] "`d = [x]`, 16-bit, sign-extended";
            LoadU32                         "load_u32"                             DestImm            goes_on Load          [ 56  56  56  56] "`d = [x]`, 32-bit, zero-extended";
            LoadI32                         "load_i32"                             DestImm            goes_on Load          [ 57  57  57  57] "`d = [x]`, 32-bit, sign-extended";
            LoadU64                         "load_u64"                             DestImm            goes_on Load          [ 58  58  58  58] "`d = [x]`, 64-bit";
            StoreU8                         "store_u8"                             SourceImm          goes_on Store         [ 59  59  59  59] "`[x] = s`, 8-bit";
            StoreU16                        "store_u16"                            SourceImm          goes_on Store         [ 60  60  60  60] "`[x] = s`, 16-bit";
            StoreU32                        "store_u32"                            SourceImm          goes_on Store         [ 61  61  61  61] "`[x] = s`, 32-bit";
            StoreU64                        "store_u64"                            SourceImm          goes_on Store         [ 62  62  62  62] "`[x] = s`, 64-bit";
            StoreImmIndirectU8              "store_imm_indirect_u8"                SourceImmImm       goes_on Store         [ 70  70  70  70] "`[s + x] = y`, 8-bit";
            StoreImmIndirectU16             "store_imm_indirect_u16"               SourceImmImm       goes_on Store         [ 71  71  71  71] "`[s + x] = y`, 16-bit";
            StoreImmIndirectU32             "store_imm_indirect_u32"               SourceImmImm       goes_on Store         [ 72  72  72  72] "`[s + x] = y`, 32-bit";
            StoreImmIndirectU64             "store_imm_indirect_u64"               SourceImmImm       goes_on Store         [ 73  73  73  73] "`[s + x] = y`, 64-bit";
            LoadImmAndJump                  "load_imm_and_jump"                    DestImmOffset      ends    Jump          [ 80  80  80  80] "`d = x`, then jumps to the target";
            BranchEqImm                     "branch_eq_imm"                        SourceImmOffset    ends    Branch        [ 81  81  81  81] "Jumps to the target if `s == x`";
            BranchNotEqImm                  "branch_not_eq_imm"                    SourceImmOffset    ends    Branch        [ 82  82  82  82] "Jumps to the target if `s != x`";
            BranchLessUnsignedImm           "branch_less_unsigned_imm"             SourceImmOffset    ends    Branch        [ 83  83  83  83] "Jumps to the target if `s < x`, unsigned";
            BranchLessOrEqualUnsignedImm    "branch_less_or_equal_unsigned_imm"    SourceImmOffset    ends    Branch        [ 84  84  84  84] "Jumps to the target if `s <= x`, unsigned";
            BranchGreaterOrEqualUnsignedImm "branch_greater_or_equal_unsigned_imm" SourceImmOffset    ends    Branch        [ 85  85  85  85] "Jumps to the target if `s >= x`, unsigned";
            BranchGreaterUnsignedImm        "branch_greater_unsigned_imm"          SourceImmOffset    ends    Branch        [ 86  86  86  86] "Jumps to the target if `s > x`, unsigned";
            BranchLessSignedImm             "branch_less_signed_imm"               SourceImmOffset    ends    Branch        [ 87  87  87  87] "Jumps to the target if `s < x`, signed";
            BranchLessOrEqualSignedImm      "branch_less_or_equal_signed_imm"      SourceImmOffset    ends    Branch        [ 88  88  88  88] "Jumps to the target if `s <= x`, signed";
            BranchGreaterOrEqualSignedImm   "branch_greater_or_equal_signed_imm"   SourceImmOffset    ends    Branch        [ 89  89  89  89] "Jumps to the target if `s >= x`, signed";
            BranchGreaterSignedImm          "branch_greater_signed_imm"            SourceImmOffset    ends    Branch        [ 90  90  90  90] "Jumps to the target if `s > x`, signed";
            MoveReg                         "move_reg"                             DestSource         goes_on Move          [100 100 100 100] "`d = s`";
            Sbrk                            "sbrk"                                 DestSource         goes_on Host          [  _   _ 101 101] "Grows the heap by `s` bytes, `d` = its new top or 0";
            CountSetBits64                  "count_set_bits_64"                    DestSource         goes_on Bits          [102 101 102 102] "Set bits of `s`, 64-bit";
            CountSetBits32                  "count_set_bits_32"                    DestSource         goes_on Bits          [103 102 103 103] "Set bits of `s`, 32-bit";
            CountLeadingZeroBits64          "count_leading_zero_bits_64"           DestSource         goes_on Bits          [104 103 104 104] "Leading zero bits of `s`, 64-bit";
            CountLeadingZeroBits32          "count_leading_zero_bits_32"           DestSource         goes_on Bits          [105 104 105 105] "Leading zero bits of `s`, 32-bit";
            CountTrailingZeroBits64         "count_trailing_zero_bits_64"          DestSource         goes_on CountTrailing [106 105 106 106] "Trailing zero bits of `s`, 64-bit";
            CountTrailingZeroBits32         "count_trailing_zero_bits_32"          DestSource         goes_on CountTrailing [107 106 107 107] "Trailing zero bits of `s`, 32-bit";
            SignExtend8                     "sign_extend_8"                        DestSource         goes_on Bits          [108 107 108 108] "`d = s`, sign-extended from 8 bits";
            SignExtend16                    "sign_extend_16"                       DestSource         goes_on Bits          [109 108 109 109] "`d = s`, sign-extended from 16 bits";
            ZeroExtend16                    "zero_extend_16"                       DestSource         goes_on Bits          [110 109 110 110] "`d = s`, zero-extended from 16 bits";
            ReverseByte                     "reverse_byte"                         DestSource         goes_on Simple64      [111 110 111 111] "`d = s` with its bytes reversed";
            StoreIndirectU8                 "store_indirect_u8"                    SourceSourceImm    goes_on Store         [120 120 120 120] "`[s2 + x] = s1`, 8-bit";
            StoreIndirectU16                "store_indirect_u16"                   SourceSourceImm    goes_on Store         [121 121 121 121] "`[s2 + x] = s1`, 16-bit";
            StoreIndirectU32                "store_indirect_u32"                   SourceSourceImm    goes_on Store         [122 122 122 122] "`[s2 + x] = s1`, 32-bit";
            StoreIndirectU64                "store_indirect_u64"                   SourceSourceImm    goes_on Store         [123 123 123 123] "`[s2 + x] = s1`, 64-bit";
            LoadIndirectU8                  "load_indirect_u8"                     DestSourceImm      goes_on Load          [124 124 124 124] "`d = [s + x]`, 8-bit, zero-extended";
            LoadIndirectI8                  "load_indirect_i8"                     DestSourceImm      goes_on Load          [125 125 125 125] "`d = [s + x]`, 8-bit, sign-extended";
            LoadIndirectU16                 "load_indirect_u16"                    DestSourceImm      goes_on Load          [126 126 126 126] "`d = [s + x]`, 16-bit, zero-extended";
            LoadIndirectI16                 "load_indirect_i16"                    DestSourceImm      goes_on Load          [127 127 127 127] "`d = [s + x]`, 16-bit, sign-extended";
            LoadIndirectU32                 "load_indirect_u32"                    DestSourceImm      goes_on Load          [128 128 128 128] "`d = [s + x]`, 32-bit, zero-extended";
            LoadIndirectI32                 "load_indirect_i32"                    DestSourceImm      goes_on Load          [129 129 129 129] "`d = [s + x]`, 32-bit, sign-extended";
            LoadIndirectU64                 "load_indirect_u64"                    DestSourceImm      goes_on Load          [130 130 130 130] "`d = [s + x]`, 64-bit";
            AddImm32                        "add_imm_32"                           DestSourceImm      goes_on Simple32      [131 131 131 131] "`d = s + x`, 32-bit";
            AndImm                          "and_imm"                              DestSourceImm      goes_on Simple64      [132 132 132 132] "`d = s & x`";
            XorImm                          "xor_imm"                              DestSourceImm      goes_on Simple64      [133 133 133 133] "`d = s ^ x`";
            OrImm                           "or_imm"                               DestSourceImm      goes_on Simple64      [134 134 134 134] "`d = s | x`";
            MulImm32                        "mul_imm_32"                           DestSourceImm      goes_on Mul32         [135 135 135 135] "`d = s * x`, 32-bit";
            SetLessThanUnsignedImm          "set_less_than_unsigned_imm"           DestSourceImm      goes_on Compare       [136 136 136 136] "`d = s < x`, unsigned";
            SetLessThanSignedImm            "set_less_than_signed_imm"             DestSourceImm      goes_on Compare       [137 137 137 137] "`d = s < x`, signed";
            ShiftLogicalLeftImm32           "shift_logical_left_imm_32"            DestSourceImm      goes_on Simple32      [138 138 138 138] "`d = s << x`, 32-bit";
            ShiftLogicalRightImm32          "shift_logical_right_imm_32"           DestSourceImm      goes_on Simple32      [139 139 139 139] "`d = s >> x`, 32-bit";
            ShiftArithmeticRightImm32       "shift_arithmetic_right_imm_32"        DestSourceImm      goes_on Simple32      [140 140 140 140] "`d = s >> x`, arithmetic, 32-bit";
            NegateAndAddImm32               "negate_and_add_imm_32"                DestSourceImm      goes_on Negate32      [141 141 141 141] "`d = x - s`, 32-bit";
            SetGreaterThanUnsignedImm       "set_greater_than_unsigned_imm"        DestSourceImm      goes_on Compare       [142 142 142 142] "`d = s > x`, unsigned";
            SetGreaterThanSignedImm         "set_greater_than_signed_imm"          DestSourceImm      goes_on Compare       [143 143 143 143] "`d = s > x`, signed";
            ShiftLogicalLeftImmAlt32        "shift_logical_left_imm_alt_32"        DestSourceImm      goes_on ShiftAlt32    [144 144 144 144] "`d = x << s`, 32-bit";
            ShiftLogicalRightImmAlt32       "shift_logical_right_imm_alt_32"       DestSourceImm      goes_on ShiftAlt32    [145 145 145 145] "`d = x >> s`, 32-bit";
            ShiftArithmeticRightImmAlt32    "shift_arithmetic_right_imm_alt_32"    DestSourceImm      goes_on ShiftAlt32    [146 146 146 146] "`d = x >> s`, arithmetic, 32-bit";
            CmovIfZeroImm                   "cmov_if_zero_imm"                     DestSourceImm      goes_on CmovImm       [147 147 147 147] "`d = x` if `s == 0`";
            CmovIfNotZeroImm                "cmov_if_not_zero_imm"                 DestSourceImm      goes_on CmovImm       [148 148 148 148] "`d = x` if `s != 0`";
            AddImm64                        "add_imm_64"                           DestSourceImm      goes_on Simple64      [149 149 149 149] "`d = s + x`, 64-bit";
            MulImm64                        "mul_imm_64"                           DestSourceImm      goes_on Mul64         [150 150 150 150] "`d = s * x`, 64-bit";
            ShiftLogicalLeftImm64           "shift_logical_left_imm_64"            DestSourceImm      goes_on Simple64      [151 151 151 151] "`d = s << x`, 64-bit";
            ShiftLogicalRightImm64          "shift_logical_right_imm_64"           DestSourceImm      goes_on Simple64      [152 152 152 152] "`d = s >> x`, 64-bit";
            ShiftArithmeticRightImm64       "shift_arithmetic_right_imm_64"        DestSourceImm      goes_on Simple64      [153 153 153 153] "`d = s >> x`, arithmetic, 64-bit";
            NegateAndAddImm64               "negate_and_add_imm_64"                DestSourceImm      goes_on Negate64      [154 154 154 154] "`d = x - s`, 64-bit";
            ShiftLogicalLeftImmAlt64        "shift_logical_left_imm_alt_64"        DestSourceImm      goes_on ShiftAlt64    [155 155 155 155] "`d = x << s`, 64-bit";
            ShiftLogicalRightImmAlt64       "shift_logical_right_imm_alt_64"       DestSourceImm      goes_on ShiftAlt64    [156 156 156 156] "`d = x >> s`, 64-bit";
            ShiftArithmeticRightImmAlt64    "shift_arithmetic_right_imm_alt_64"    DestSourceImm      goes_on ShiftAlt64    [157 157 157 157] "`d = x >> s`, arithmetic, 64-bit";
            RotateRightImm64                "rotate_right_imm_64"                  DestSourceImm      goes_on Simple64      [158 158 158 158] "`d = s` rotated right by `x`, 64-bit";
            RotateRightImmAlt64             "rotate_right_imm_alt_64"              DestSourceImm      goes_on ShiftAlt64    [159 159 159 159] "`d = x` rotated right by `s`, 64-bit";
            RotateRightImm32                "rotate_right_imm_32"                  DestSourceImm      goes_on Simple32      [160 160 160 160] "`d = s` rotated right by `x`, 32-bit";
            RotateRightImmAlt32             "rotate_right_imm_alt_32"              DestSourceImm      goes_on ShiftAlt32    [161 161 161 161] "`d = x` rotated right by `s`, 32-bit";
            BranchEq                        "branch_eq"                            SourceSourceOffset ends    Branch        [170 170 170 170] "Jumps to the target if `s1 == s2`";
            BranchNotEq                     "branch_not_eq"                        SourceSourceOffset ends    Branch        [171 171 171 171] "Jumps to the target if `s1 != s2`";
            BranchLessUnsigned              "branch_less_unsigned"                 SourceSourceOffset ends    Branch        [172 172 172 172] "Jumps to the target if `s1 < s2`, unsigned";
            BranchLessSigned                "branch_less_signed"                   SourceSourceOffset ends    Branch        [173 173 173 173] "Jumps to the target if `s1 < s2`, signed";
            BranchGreaterOrEqualUnsigned    "branch_greater_or_equal_unsigned"     SourceSourceOffset ends    Branch        [174 174 174 174] "Jumps to the target if `s1 >= s2`, unsigned";
            BranchGreaterOrEqualSigned      "branch_greater_or_equal_signed"       SourceSourceOffset ends    Branch        [175 175 175 175] "Jumps to the target if `s1 >= s2`, signed";
            LoadImmAndJumpIndirect          "load_imm_and_jump_indirect"           DestSourceImmImm   ends    JumpIndirect  [180 180 180 180] "`d = x`, then jumps through the jump table to `s + y` (with the old `s`)";
            Add32                           "add_32"                               DestSourceSource   goes_on Simple32      [190 190 190 190] "`d = s1 + s2`, 32-bit";
            Sub32                           "sub_32"                               DestSourceSource   goes_on Simple32      [191 191 191 191] "`d = s1 - s2`, 32-bit";
            Mul32                           "mul_32"                               DestSourceSource   goes_on Mul32         [192 192 192 192] "`d = s1 * s2`, 32-bit";
            DivUnsigned32                   "div_unsigned_32"                      DestSourceSource   goes_on Divide        [193 193 193 193] "`d = s1 / s2`, unsigned, 32-bit";
            DivSigned32                     "div_signed_32"                        DestSourceSource   goes_on Divide        [194 194 194 194] "`d = s1 / s2`, signed, 32-bit";
            RemUnsigned32                   "rem_unsigned_32"                      DestSourceSource   goes_on Divide        [195 195 195 195] "`d = s1 % s2`, unsigned, 32-bit";
            RemSigned32                     "rem_signed_32"                        DestSourceSource   goes_on Divide        [196 196 196 196] "`d = s1 % s2`, signed, 32-bit";
            ShiftLogicalLeft32              "shift_logical_left_32"                DestSourceSource   goes_on Shift32       [197 197 197 197] "`d = s1 << s2`, 32-bit";
            ShiftLogicalRight32             "shift_logical_right_32"               DestSourceSource   goes_on Shift32       [198 198 198 198] "`d = s1 >> s2`, 32-bit";
            ShiftArithmeticRight32          "shift_arithmetic_right_32"            DestSourceSource   goes_on Shift32       [199 199 199 199] "`d = s1 >> s2`, arithmetic, 32-bit";
            Add64                           "add_64"                               DestSourceSource   goes_on Simple64      [200 200 200 200] "`d = s1 + s2`, 64-bit";
            Sub64                           "sub_64"                               DestSourceSource   goes_on Simple64      [201 201 201 201] "`d = s1 - s2`, 64-bit";
            Mul64                           "mul_64"                               DestSourceSource   goes_on Mul64         [202 202 202 202] "`d = s1 * s2`, 64-bit";
            DivUnsigned64                   "div_unsigned_64"                      DestSourceSource   goes_on Divide        [203 203 203 203] "`d = s1 / s2`, unsigned, 64-bit";
            DivSigned64                     "div_signed_64"                        DestSourceSource   goes_on Divide        [204 204 204 204] "`d = s1 / s2`, signed, 64-bit";
            RemUnsigned64                   "rem_unsigned_64"                      DestSourceSource   goes_on Divide        [205 205 205 205] "`d = s1 % s2`, unsigned, 64-bit";
            RemSigned64                     "rem_signed_64"                        DestSourceSource   goes_on Divide        [206 206 206 206] "`d = s1 % s2`, signed, 64-bit";
            ShiftLogicalLeft64              "shift_logical_left_64"                DestSourceSource   goes_on Shift64       [207 207 207 207] "`d = s1 << s2`, 64-bit";
            ShiftLogicalRight64             "shift_logical_right_64"               DestSourceSource   goes_on Shift64       [208 208 208 208] "`d = s1 >> s2`, 64-bit";
            ShiftArithmeticRight64          "shift_arithmetic_right_64"            DestSourceSource   goes_on Shift64       [209 209 209 209] "`d = s1 >> s2`, arithmetic, 64-bit";
            And                             "and"                                  DestSourceSource   goes_on Simple64      [210 210 210 210] "`d = s1 & s2`";
            Xor                             "xor"                                  DestSourceSource   goes_on Simple64      [211 211 211 211] "`d = s1 ^ s2`";
            Or                              "or"                                   DestSourceSource   goes_on Simple64      [212 212 212 212] "`d = s1 | s2`";
            MulUpperSignedSigned            "mul_upper_signed_signed"              DestSourceSource   goes_on MulUpper      [213 213 213 213] "Upper half of `s1 * s2`, both signed";
            MulUpperUnsignedUnsigned        "mul_upper_unsigned_unsigned"          DestSourceSource   goes_on MulUpper      [214 214 214 214] "Upper half of `s1 * s2`, both unsigned";
            MulUpperSignedUnsigned          "mul_upper_signed_unsigned"            DestSourceSource   goes_on MulUpperMixed [215 215 215 215] "Upper half of `s1 * s2`, signed by unsigned";
            SetLessThanUnsigned             "set_less_than_unsigned"               DestSourceSource   goes_on Compare       [216 216 216 216] "`d = s1 < s2`, unsigned";
            SetLessThanSigned               "set_less_than_signed"                 DestSourceSource   goes_on Compare       [217 217 217 217] "`d = s1 < s2`, signed";
            CmovIfZero                      "cmov_if_zero"                         DestSourceSource   goes_on Cmov          [218 218 218 218] "`d = s1` if `s2 == 0`";
            CmovIfNotZero                   "cmov_if_not_zero"                     DestSourceSource   goes_on Cmov          [219 219 219 219] "`d = s1` if `s2 != 0`";
            RotateLeft64                    "rotate_left_64"                       DestSourceSource   goes_on Shift64       [220 220 220 220] "`d = s1` rotated left by `s2`, 64-bit";
            RotateLeft32                    "rotate_left_32"                       DestSourceSource   goes_on Shift32       [221 221 221 221] "`d = s1` rotated left by `s2`, 32-bit";
            RotateRight64                   "rotate_right_64"                      DestSourceSource   goes_on Shift64       [222 222 222 222] "`d = s1` rotated right by `s2`, 64-bit";
            RotateRight32                   "rotate_right_32"                      DestSourceSource   goes_on Shift32       [223 223 223 223] "`d = s1` rotated right by `s2`, 32-bit";
            AndInverted                     "and_inverted"                         DestSourceSource   goes_on InvertedLogic [224 224 224 224] "`d = s1 & !s2`";
            OrInverted                      "or_inverted"                          DestSourceSource   goes_on InvertedLogic [225 225 225 225] "`d = s1 | !s2`";
            Xnor                            "xnor"                                 DestSourceSource   goes_on Xnor          [226 226 226 226] "`d = !(s1 ^ s2)`";
            Maximum                         "maximum"                              DestSourceSource   goes_on MinMax        [227 227 227 227] "`d = max(s1, s2)`, signed";
            MaximumUnsigned                 "maximum_unsigned"                     DestSourceSource   goes_on MinMax        [228 228 228 228] "`d = max(s1, s2)`, unsigned";
            Minimum                         "minimum"                              DestSourceSource   goes_on MinMax        [229 229 229 229] "`d = min(s1, s2)`, signed";
            MinimumUnsigned                 "minimum_unsigned"                     DestSourceSource   goes_on MinMax        [230 230 230 230] "`d = min(s1, s2)`, unsigned";
        }
    };
}

pub(crate) use for_each_instruction;
