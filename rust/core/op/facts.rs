//! What is known about an op besides its formulas.

/// How many inputs an op has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arity {
    /// A leaf: constant, parameter or input.
    Leaf,
    /// One operand.
    Unary,
    /// One operand and an integer exponent.
    Power,
    /// Two operands.
    Binary,
    /// Any number of operands.
    Variadic,
    /// None: the node stands for another one.
    Alias,
    /// A node, and those that it was differentiated by.
    Gradients,
    /// One of these gradients.
    Gradient,
}

impl Arity {
    /// How many operands an elementwise op has; 0 for any other.
    pub const fn operands(self) -> usize {
        match self {
            Self::Leaf | Self::Variadic | Self::Alias | Self::Gradients | Self::Gradient => 0,
            Self::Unary | Self::Power => 1,
            Self::Binary => 2,
        }
    }
}

/// A number that a reverse step may read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read {
    /// The first operand; of a variadic op each input.
    A,
    /// The second operand.
    B,
    /// The value.
    Z,
}

impl Read {
    /// The operand at a place.
    pub const fn operand(place: usize) -> Self {
        if place == 0 { Self::A } else { Self::B }
    }
}

/// How an op is written in listings and graphs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notation {
    /// Between its operands.
    Infix(&'static str),
    /// Before its operand.
    Prefix(&'static str),
    /// As a function call; a graph shows this sign.
    Call(&'static str),
}

/// Facts about an op. There is no default: an omission does not compile.
#[derive(Clone, Copy, Debug)]
pub struct Facts {
    /// Where the value of REAL operands is REAL, for documentation.
    pub domain: &'static str,
    /// The units of operand or result, where there are any.
    pub units: Option<&'static str>,
    /// What an adjoint ḡ contributes to each operand, for documentation.
    pub partials: &'static str,
    /// Why values and partials are what they are at the edges, for documentation.
    pub reason: &'static str,
    /// How it is written.
    pub notation: Notation,
    /// An interval on which it is smooth in each operand, for sampling in tests.
    pub smooth_on: (f64, f64),
    /// The period with which value or partials oscillate in the first operand, or with which it jumps.
    pub period: Option<f64>,
    /// Where its partials are subgradients or jump, by the values of the operands.
    pub kink: Option<fn(&[f64]) -> bool>,
    /// All that its contributions are computed from besides ḡ, in either form, classical or bounded.
    pub reads: &'static [Read],
    /// The operands at which a value that is not REAL always makes a result that is not REAL. Of a power
    /// this holds for exponents n ≥ 0, of a variadic op where every input is kept.
    pub propagates: &'static [Read],
}

impl Facts {
    /// Whether contributions are computed from this number.
    pub fn reads(&self, what: Read) -> bool {
        self.reads.contains(&what)
    }

    /// Whether a value that is not REAL at this operand shows in the result.
    pub fn propagates(&self, place: usize) -> bool {
        self.propagates.contains(&Read::operand(place))
    }
}

/// Where the pole of a singular op lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PoleAt {
    /// Where the operand at this place is 0, whose magnitude is the distance.
    Operand(usize),
    /// Where the base is 0, if the exponent, the second operand, is one that makes a pole there.
    BaseByExponent,
    /// Where a distance is 0 that is computed from the operands.
    Computed,
}

/// Facts about the pole of a singular op.
#[derive(Clone, Copy, Debug)]
pub struct PoleFacts {
    /// Where it lies.
    pub at: PoleAt,
    /// Whether the value there can be REAL, as that of √0 is.
    pub is_real_there: bool,
    /// The distance, for documentation.
    pub distance: &'static str,
    /// The bounded contributions, for documentation.
    pub bounded: &'static str,
}
