//! Instructions of x86-64 with AVX2 or AVX-512, encoded by `iced-x86`.
//!
//! A function takes a table of pointers in `rdi` and the bytes of a column of the block in `rsi`. `rcx` counts
//! the bytes before the vectors at hand, `r8` the vectors, `rdx` the bytes of the lanes at hand. The pointers
//! used most stay in registers, the others are fetched from the table to `rax`. The System V convention is
//! used on every system: the caller, compiled Rust, knows which registers that leaves.

use super::encoder::{Address, Encoded, Encoder, Index, LINE_BYTES, Listed, Operand, Order, Register, Turns};
use super::lanes::{Lanes, Shuffle};
use super::steps::{Arithmetic, Class, Comparison, Logic, Rounding};
use super::vectors::Vectors;
use iced_x86::{Code, FastFormatter, IcedError, Instruction, MemoryOperand, Register as Machine};

/// Registers for pointers that a caller need not save, then those it expects to find as they were.
const POINTERS: [Machine; 8] = [
    Machine::R9,
    Machine::R10,
    Machine::R11,
    Machine::RBX,
    Machine::R12,
    Machine::R13,
    Machine::R14,
    Machine::R15,
];
const FIRST_SAVED: usize = 3;

/// The bytes of an instruction at most, and those of code.
const MOST_BYTES: u64 = 1 << 30;

/// An instruction as assemblers write it.
fn text(instruction: &Instruction) -> String {
    let mut text = String::new();
    let mut formatter = FastFormatter::new();
    formatter.options_mut().set_use_hex_prefix(true);
    formatter.format(instruction, &mut text);
    text
}

pub(crate) struct X86 {
    vectors: Vectors,
    encoder: iced_x86::Encoder,
    length: u64,
    failed: Option<String>,
    /// The regions whose pointers stay in registers; of rows, the pointers to those of the turn, and how many
    /// numbers they have.
    pointers: Vec<(u32, Option<u32>)>,
    lanes_begin: u64,
    vectors_begin: u64,
    /// The end of a jump forward that has not landed.
    jump_end: usize,
    /// Ends of jumps, and where they land.
    landings: Vec<(usize, usize)>,
    /// What is written, as text, if that is asked for; where the last jump forward is there, and what is written
    /// comes from.
    listing: Option<Vec<Listed>>,
    jump_listed: usize,
    origin: Option<(u32, u8)>,
}

impl X86 {
    pub fn new(vectors: Vectors) -> Self {
        Self {
            vectors,
            encoder: iced_x86::Encoder::new(64),
            length: 0,
            failed: None,
            pointers: vec![],
            lanes_begin: 0,
            vectors_begin: 0,
            jump_end: 0,
            landings: vec![],
            listing: None,
            jump_listed: 0,
            origin: None,
        }
    }

    /// The same, which keeps what it writes as text.
    pub fn listing(vectors: Vectors) -> Self {
        Self { listing: Some(vec![]), ..Self::new(vectors) }
    }

    fn wide(&self) -> bool {
        self.vectors == Vectors::Avx512
    }

    fn emit(&mut self, instruction: Result<Instruction, IcedError>) {
        if self.failed.is_some() {
            return;
        }
        let encoded = instruction.and_then(|instruction| {
            let bytes = self.encoder.encode(&instruction, self.length)?;
            if let Some(listing) = &mut self.listing {
                listing.push(Listed { text: text(&instruction), origin: self.origin });
            }
            Ok(bytes)
        });
        match encoded {
            Ok(bytes) => self.length += bytes as u64,
            Err(error) => self.failed = Some(error.to_string()),
        }
        if self.length > MOST_BYTES {
            self.failed = Some("the machine code is too long".to_owned());
        }
    }

    fn vector(&self, register: Register) -> Machine {
        let first = if self.wide() { Machine::ZMM0 } else { Machine::YMM0 };
        first + u32::from(register)
    }

    /// A register of masks. The first one means no mask to instructions.
    fn mask(register: Register) -> Machine {
        Machine::K1 + u32::from(register)
    }

    fn memory(&mut self, address: Address) -> MemoryOperand {
        let base = match self.pointers.iter().position(|&(region, _)| region == address.region) {
            Some(place) => POINTERS[place],
            None => {
                match address.index {
                    Index::Rows(width) => self.fetch_rows(Machine::RAX, address.region, width),
                    _ => self.fetch(Machine::RAX, address.region),
                }
                Machine::RAX
            }
        };
        let offset = i64::from(address.offset);
        let index = match address.index {
            Index::None | Index::Rows(_) => return MemoryOperand::with_base_displ(base, offset),
            Index::Samples => Machine::RCX,
            Index::Vectors => Machine::R8,
            Index::Lanes => Machine::RDX,
        };
        MemoryOperand::with_base_index_scale_displ_size(base, index, 1, offset, 1)
    }

    /// Brings the pointer to a region to a register.
    fn fetch(&mut self, to: Machine, region: u32) {
        let from = MemoryOperand::with_base_displ(Machine::RDI, i64::from(region) * 8);
        self.emit(Instruction::with2(Code::Mov_r64_rm64, to, from));
    }

    /// Brings the pointer to the rows of the turn's first vector to a register.
    fn fetch_rows(&mut self, to: Machine, region: u32, width: u32) {
        // The bytes of a column before the vector, once for each number of a row.
        self.emit(Instruction::with3(Code::Imul_r64_rm64_imm32, to, Machine::RCX, width as i32));
        let from = MemoryOperand::with_base_displ(Machine::RDI, i64::from(region) * 8);
        self.emit(Instruction::with2(Code::Add_r64_rm64, to, from));
    }

    fn unary(&mut self, code: Code, to: Machine, a: Operand) {
        let instruction = match a {
            Operand::Register(a) => Instruction::with2(code, to, self.vector(a)),
            Operand::Memory(address) => {
                let a = self.memory(address);
                Instruction::with2(code, to, a)
            }
        };
        self.emit(instruction);
    }

    fn binary(&mut self, code: Code, to: Machine, a: Machine, b: Operand) {
        let instruction = match b {
            Operand::Register(b) => Instruction::with3(code, to, a, self.vector(b)),
            Operand::Memory(address) => {
                let b = self.memory(address);
                Instruction::with3(code, to, a, b)
            }
        };
        self.emit(instruction);
    }

    fn count(&mut self, register: Machine, by: usize) {
        self.emit(Instruction::with2(Code::Add_rm64_imm32, register, by as i32));
    }

    fn zero(&mut self, register: Machine) {
        self.emit(Instruction::with2(Code::Xor_r32_rm32, register, register));
    }

    /// Jumps back while a register is below another one's value, or a number.
    fn jump_while_below(&mut self, target: u64) {
        self.emit(Instruction::with_branch(Code::Jb_rel32_64, target));
    }
}

impl Encoder for X86 {
    fn vectors(&self) -> u8 {
        if self.wide() { 32 } else { 16 }
    }

    fn masks(&self) -> u8 {
        if self.wide() { 7 } else { 0 }
    }

    fn width(&self) -> usize {
        self.vectors.bytes()
    }

    fn load(&mut self, to: Register, from: Address) {
        let code =
            if self.wide() { Code::EVEX_Vmovupd_zmm_k1z_zmmm512 } else { Code::VEX_Vmovupd_ymm_ymmm256 };
        self.unary(code, self.vector(to), Operand::Memory(from));
    }

    fn store(&mut self, to: Address, from: Register) {
        let code =
            if self.wide() { Code::EVEX_Vmovupd_zmmm512_k1z_zmm } else { Code::VEX_Vmovupd_ymmm256_ymm };
        let (to, from) = (self.memory(to), self.vector(from));
        self.emit(Instruction::with2(code, to, from));
    }

    fn store_lanes(&mut self, to: Address, from: Register, lanes: Lanes) {
        let (to, wide) = (self.memory(to), self.wide());
        let (whole, half, pair) =
            (self.vector(from), Machine::YMM0 + u32::from(from), Machine::XMM0 + u32::from(from));
        let instruction = match (lanes, wide) {
            (Lanes::All, true) => Instruction::with2(Code::EVEX_Vmovupd_zmmm512_k1z_zmm, to, whole),
            (Lanes::All, false) => Instruction::with2(Code::VEX_Vmovupd_ymmm256_ymm, to, whole),
            (Lanes::Half(0), _) => Instruction::with2(Code::EVEX_Vmovupd_ymmm256_k1z_ymm, to, half),
            (Lanes::Half(half), _) => {
                Instruction::with3(Code::EVEX_Vextractf64x4_ymmm256_k1z_zmm_imm8, to, whole, i32::from(half))
            }
            (Lanes::Pair(0), true) => Instruction::with2(Code::EVEX_Vmovupd_xmmm128_k1z_xmm, to, pair),
            (Lanes::Pair(0), false) => Instruction::with2(Code::VEX_Vmovupd_xmmm128_xmm, to, pair),
            (Lanes::Pair(pair), true) => {
                Instruction::with3(Code::EVEX_Vextractf64x2_xmmm128_k1z_zmm_imm8, to, whole, i32::from(pair))
            }
            (Lanes::Pair(pair), false) => {
                Instruction::with3(Code::VEX_Vextractf128_xmmm128_ymm_imm8, to, whole, i32::from(pair))
            }
            (Lanes::First, true) => Instruction::with2(Code::EVEX_Vmovlpd_m64_xmm, to, pair),
            (Lanes::First, false) => Instruction::with2(Code::VEX_Vmovlpd_m64_xmm, to, pair),
            (Lanes::Second, true) => Instruction::with2(Code::EVEX_Vmovhpd_m64_xmm, to, pair),
            (Lanes::Second, false) => Instruction::with2(Code::VEX_Vmovhpd_m64_xmm, to, pair),
        };
        self.emit(instruction);
    }

    fn prefetch(&mut self, at: Address) {
        let at = self.memory(at);
        self.emit(Instruction::with1(Code::Prefetcht1_m8, at));
    }

    fn load_mask(&mut self, to: Register, from: Address) {
        let from = self.memory(from);
        self.emit(Instruction::with2(Code::VEX_Kmovb_kr_km8, Self::mask(to), from));
    }

    fn store_mask(&mut self, to: Address, from: Register) {
        let to = self.memory(to);
        self.emit(Instruction::with2(Code::VEX_Kmovb_m8_kr, to, Self::mask(from)));
    }

    fn store_bits(&mut self, to: Address, mask: Register) {
        if self.wide() {
            return self.store_mask(to, mask);
        }
        // The pointer first: both may need rax.
        let scratch = Machine::EBP;
        self.emit(Instruction::with2(Code::VEX_Vmovmskpd_r32_ymm, scratch, self.vector(mask)));
        let to = self.memory(to);
        self.emit(Instruction::with2(Code::Mov_rm8_r8, to, Machine::BPL));
    }

    fn set_bits(&mut self, of: Address, mask: Register) {
        let scratch = Machine::EBP;
        self.emit(if self.wide() {
            Instruction::with2(Code::VEX_Kmovb_r32_kr, scratch, Self::mask(mask))
        } else {
            Instruction::with2(Code::VEX_Vmovmskpd_r32_ymm, scratch, self.vector(mask))
        });
        let of = self.memory(of);
        self.emit(Instruction::with2(Code::Or_rm8_r8, of, Machine::BPL));
    }

    fn arithmetic(&mut self, kind: Arithmetic, to: Register, a: Register, b: Operand) {
        let codes = match kind {
            Arithmetic::Add => {
                [Code::VEX_Vaddpd_ymm_ymm_ymmm256, Code::EVEX_Vaddpd_zmm_k1z_zmm_zmmm512b64_er]
            }
            Arithmetic::Sub => {
                [Code::VEX_Vsubpd_ymm_ymm_ymmm256, Code::EVEX_Vsubpd_zmm_k1z_zmm_zmmm512b64_er]
            }
            Arithmetic::Mul => {
                [Code::VEX_Vmulpd_ymm_ymm_ymmm256, Code::EVEX_Vmulpd_zmm_k1z_zmm_zmmm512b64_er]
            }
            Arithmetic::Div => {
                [Code::VEX_Vdivpd_ymm_ymm_ymmm256, Code::EVEX_Vdivpd_zmm_k1z_zmm_zmmm512b64_er]
            }
            Arithmetic::And => [Code::VEX_Vandpd_ymm_ymm_ymmm256, Code::EVEX_Vandpd_zmm_k1z_zmm_zmmm512b64],
            Arithmetic::Or => [Code::VEX_Vorpd_ymm_ymm_ymmm256, Code::EVEX_Vorpd_zmm_k1z_zmm_zmmm512b64],
            Arithmetic::Xor => [Code::VEX_Vxorpd_ymm_ymm_ymmm256, Code::EVEX_Vxorpd_zmm_k1z_zmm_zmmm512b64],
        };
        let code = codes[usize::from(self.wide())];
        self.binary(code, self.vector(to), self.vector(a), b);
    }

    fn add_where(&mut self, to: Register, mask: Register, a: Operand) {
        debug_assert!(self.wide(), "masks of AVX2 are vectors");
        let (code, to) = (Code::EVEX_Vaddpd_zmm_k1z_zmm_zmmm512b64_er, self.vector(to));
        let instruction = match a {
            Operand::Register(a) => Instruction::with3(code, to, to, self.vector(a)),
            Operand::Memory(address) => {
                let a = self.memory(address);
                Instruction::with3(code, to, to, a)
            }
        };
        self.emit(instruction.map(|mut instruction| {
            instruction.set_op_mask(Self::mask(mask));
            instruction
        }));
    }

    fn shuffle(&mut self, kind: Shuffle, to: Register, a: Register, b: Operand) {
        let wide = usize::from(self.wide());
        let (to, a) = (self.vector(to), self.vector(a));
        // Pairs are named by two bits each, or, of two pairs, by four.
        let immediate = match kind {
            Shuffle::Firsts => {
                let codes =
                    [Code::VEX_Vunpcklpd_ymm_ymm_ymmm256, Code::EVEX_Vunpcklpd_zmm_k1z_zmm_zmmm512b64];
                return self.binary(codes[wide], to, a, b);
            }
            Shuffle::Seconds => {
                let codes =
                    [Code::VEX_Vunpckhpd_ymm_ymm_ymmm256, Code::EVEX_Vunpckhpd_zmm_k1z_zmm_zmmm512b64];
                return self.binary(codes[wide], to, a, b);
            }
            Shuffle::EvenPairs => [0x20, 0x88][wide],
            Shuffle::OddPairs => [0x31, 0xdd][wide],
            Shuffle::Pair(pair) => i32::from(pair),
        };
        let code =
            [Code::VEX_Vperm2f128_ymm_ymm_ymmm256_imm8, Code::EVEX_Vshuff64x2_zmm_k1z_zmm_zmmm512b64_imm8];
        let instruction = match b {
            Operand::Register(b) => Instruction::with4(code[wide], to, a, self.vector(b), immediate),
            Operand::Memory(address) => {
                let b = self.memory(address);
                Instruction::with4(code[wide], to, a, b, immediate)
            }
        };
        self.emit(instruction);
    }

    fn comes_from(&mut self, origin: Option<(u32, u8)>) {
        self.origin = origin;
    }

    fn least(&mut self, to: Register, a: Register) {
        let (to, a) = (self.vector(to), self.vector(a));
        if self.wide() {
            // The smaller magnitude, without its sign.
            let code = Code::EVEX_Vrangepd_zmm_k1z_zmm_zmmm512b64_imm8_sae;
            return self.emit(Instruction::with4(code, to, to, a, 0x0a));
        }
        // With a NaN the second operand is taken.
        self.emit(Instruction::with3(Code::VEX_Vminpd_ymm_ymm_ymmm256, to, a, to));
    }

    fn root(&mut self, to: Register, a: Operand) {
        let code = if self.wide() {
            Code::EVEX_Vsqrtpd_zmm_k1z_zmmm512b64_er
        } else {
            Code::VEX_Vsqrtpd_ymm_ymmm256
        };
        self.unary(code, self.vector(to), a);
    }

    fn round(&mut self, rounding: Rounding, to: Register, a: Operand) {
        // The lowest bits are the direction, the next ones say: no exception, no scaling.
        let immediate = match rounding {
            Rounding::Nearest => 0x8,
            Rounding::Down => 0x9,
            Rounding::Up => 0xa,
        };
        let (to, code) = if self.wide() {
            (self.vector(to), Code::EVEX_Vrndscalepd_zmm_k1z_zmmm512b64_imm8_sae)
        } else {
            (self.vector(to), Code::VEX_Vroundpd_ymm_ymmm256_imm8)
        };
        let instruction = match a {
            Operand::Register(a) => Instruction::with3(code, to, self.vector(a), immediate),
            Operand::Memory(address) => {
                let a = self.memory(address);
                Instruction::with3(code, to, a, immediate)
            }
        };
        self.emit(instruction);
    }

    fn compare(&mut self, comparison: Comparison, to: Register, a: Register, b: Operand) {
        // None of them signals that an operand is NaN.
        let immediate = match comparison {
            Comparison::Less => 0x11,
            Comparison::LessEqual => 0x12,
            Comparison::Equal => 0x00,
            Comparison::NotEqual => 0x04,
            Comparison::Unordered => 0x03,
        };
        let (code, to) = if self.wide() {
            (Code::EVEX_Vcmppd_kr_k1_zmm_zmmm512b64_imm8_sae, Self::mask(to))
        } else {
            (Code::VEX_Vcmppd_ymm_ymm_ymmm256_imm8, self.vector(to))
        };
        let a = self.vector(a);
        let instruction = match b {
            Operand::Register(b) => Instruction::with4(code, to, a, self.vector(b), immediate),
            Operand::Memory(address) => {
                let b = self.memory(address);
                Instruction::with4(code, to, a, b, immediate)
            }
        };
        self.emit(instruction);
    }

    fn classify(&mut self, class: Class, to: Register, a: Operand, within: Option<Register>) {
        // Bits for: quiet NaN, +0, −0, +∞, −∞, subnormal, negative, signalling NaN.
        let classes = match class {
            Class::Tiny => 0x26,
            Class::TinyOrInfinite => 0x3e,
        };
        debug_assert!(self.wide(), "AVX2 does not classify");
        let (code, to) = (Code::EVEX_Vfpclasspd_kr_k1_zmmm512b64_imm8, Self::mask(to));
        let instruction = match a {
            Operand::Register(a) => Instruction::with3(code, to, self.vector(a), classes),
            Operand::Memory(address) => {
                let a = self.memory(address);
                Instruction::with3(code, to, a, classes)
            }
        };
        self.emit(instruction.map(|mut instruction| {
            if let Some(within) = within {
                instruction.set_op_mask(Self::mask(within));
            }
            instruction
        }));
    }

    fn clear_mask(&mut self, to: Register) {
        let (code, to) = if self.wide() {
            (Code::VEX_Kxorb_kr_kr_kr, Self::mask(to))
        } else {
            (Code::VEX_Vxorpd_ymm_ymm_ymmm256, self.vector(to))
        };
        self.emit(Instruction::with3(code, to, to, to));
    }

    fn combine(&mut self, logic: Logic, to: Register, a: Register, b: Register) {
        let codes = match logic {
            Logic::And => [Code::VEX_Vandpd_ymm_ymm_ymmm256, Code::VEX_Kandb_kr_kr_kr],
            Logic::Or => [Code::VEX_Vorpd_ymm_ymm_ymmm256, Code::VEX_Korb_kr_kr_kr],
        };
        let code = codes[usize::from(self.wide())];
        let [to, a, b] =
            [to, a, b].map(|mask| if self.wide() { Self::mask(mask) } else { self.vector(mask) });
        self.emit(Instruction::with3(code, to, a, b));
    }

    fn not(&mut self, to: Register, a: Register) {
        if self.wide() {
            return self.emit(Instruction::with2(Code::VEX_Knotb_kr_kr, Self::mask(to), Self::mask(a)));
        }
        // All bits are a NaN, none of them are zero: what is ordered is not set.
        let (to, a) = (self.vector(to), self.vector(a));
        self.emit(Instruction::with4(Code::VEX_Vcmppd_ymm_ymm_ymmm256_imm8, to, a, a, 0x07));
    }

    fn choose(&mut self, to: Register, mask: Register, a: Operand, b: Register) {
        let (to, b) = (self.vector(to), self.vector(b));
        if self.wide() {
            let code = Code::EVEX_Vblendmpd_zmm_k1z_zmm_zmmm512b64;
            let instruction = match a {
                Operand::Register(a) => Instruction::with3(code, to, b, self.vector(a)),
                Operand::Memory(address) => {
                    let a = self.memory(address);
                    Instruction::with3(code, to, b, a)
                }
            };
            return self.emit(instruction.map(|mut instruction| {
                instruction.set_op_mask(Self::mask(mask));
                instruction
            }));
        }
        let (code, mask) = (Code::VEX_Vblendvpd_ymm_ymm_ymmm256_ymm, self.vector(mask));
        let instruction = match a {
            Operand::Register(a) => Instruction::with4(code, to, b, self.vector(a), mask),
            Operand::Memory(address) => {
                let a = self.memory(address);
                Instruction::with4(code, to, b, a, mask)
            }
        };
        self.emit(instruction);
    }

    fn skip_unless(&mut self, mask: Register) {
        if self.wide() {
            let mask = Self::mask(mask);
            self.emit(Instruction::with2(Code::VEX_Kortestb_kr_kr, mask, mask));
        } else {
            let scratch = Machine::EBP;
            self.emit(Instruction::with2(Code::VEX_Vmovmskpd_r32_ymm, scratch, self.vector(mask)));
            self.emit(Instruction::with2(Code::Test_rm32_r32, scratch, scratch));
        }
        // The distance is put in at the end.
        self.emit(Instruction::with_branch(Code::Je_rel32_64, self.length));
        self.jump_end = self.length as usize;
        self.jump_listed = self.listing.as_ref().map_or(0, Vec::len);
    }

    fn land(&mut self) {
        self.landings.push((self.jump_end, self.length as usize));
        // Where it jumps to was not known before.
        if let Some(jump) = self.listing.as_mut().and_then(|listing| listing.get_mut(self.jump_listed - 1)) {
            jump.text =
                text(&Instruction::with_branch(Code::Je_rel32_64, self.length).expect("as it was written"));
        }
    }

    fn begin(&mut self, regions: &[(u32, Option<u32>)]) {
        let kept = regions.len().min(POINTERS.len());
        for register in POINTERS[..kept].iter().skip(FIRST_SAVED).chain([&Machine::RBP]) {
            self.emit(Instruction::with1(Code::Push_r64, *register));
        }
        for (&register, &(region, width)) in POINTERS.iter().zip(regions) {
            if width.is_none() {
                self.fetch(register, region);
            }
        }
        self.pointers = regions[..kept].to_vec();
        self.zero(Machine::R8D);
    }

    fn begin_lanes(&mut self, turns: Turns) {
        if turns.order == Order::LanesByLanes {
            self.zero(Machine::EDX);
            self.lanes_begin = self.length;
        }
    }

    fn begin_vectors(&mut self, turns: Turns) {
        match turns.order {
            Order::Consecutive => self.zero(Machine::ECX),
            Order::LanesByLanes => {
                self.emit(Instruction::with2(Code::Mov_r64_rm64, Machine::RCX, Machine::RDX));
            }
        }
        self.vectors_begin = self.length;
        for (register, (region, width)) in POINTERS.into_iter().zip(self.pointers.clone()) {
            if let Some(width) = width {
                self.fetch_rows(register, region, width);
            }
        }
    }

    fn end_vectors(&mut self, turns: Turns) {
        self.count(Machine::R8, turns.at_once);
        self.count(Machine::RCX, turns.bytes(self.width()));
        self.emit(Instruction::with2(Code::Cmp_r64_rm64, Machine::RCX, Machine::RSI));
        self.jump_while_below(self.vectors_begin);
    }

    fn end_lanes(&mut self, turns: Turns) {
        if turns.order == Order::LanesByLanes {
            self.count(Machine::RDX, self.width());
            self.emit(Instruction::with2(Code::Cmp_rm64_imm32, Machine::RDX, LINE_BYTES as i32));
            self.jump_while_below(self.lanes_begin);
        }
    }

    fn finish(mut self) -> Result<Encoded, String> {
        self.emit(Ok(Instruction::with(Code::VEX_Vzeroupper)));
        for register in
            [Machine::RBP].iter().chain(POINTERS[..self.pointers.len()].iter().skip(FIRST_SAVED).rev())
        {
            self.emit(Instruction::with1(Code::Pop_r64, *register));
        }
        self.emit(Ok(Instruction::with(Code::Retnq)));
        match self.failed.take() {
            Some(failed) => Err(failed),
            None => {
                let mut code = self.encoder.take_buffer();
                for (end, landing) in self.landings {
                    let distance = (landing - end) as i32;
                    code[end - size_of::<i32>()..end].copy_from_slice(&distance.to_le_bytes());
                }
                Ok(Encoded { code, listing: self.listing.unwrap_or_default() })
            }
        }
    }
}
