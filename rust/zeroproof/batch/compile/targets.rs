//! Which derivatives a request asks for, and where they go.

use crate::batch::program::{NodeId, Program};
use crate::batch::{Directional, Request};
use crate::error::Error;
use crate::room;

/// Which derivatives a request asks for, and where they go.
#[derive(Debug)]
pub(crate) struct Targets {
    /// The elements to differentiate by, in the order of the sources, each with its array and its place in a
    /// row there; for a Jacobian those of the first output.
    pub elements: Vec<(NodeId, usize, usize)>,
    /// For a Jacobian: how many places further the next output's derivatives stand.
    pub stride: usize,
    /// By array: how many derivatives a sample has.
    pub widths: Vec<usize>,
    /// By array: whether it is put together over the samples.
    pub summed: Vec<bool>,
}

impl Targets {
    /// Those of a request.
    ///
    /// # Panics
    /// If the request does not fit the program.
    pub fn new(program: &Program, request: &Request) -> Result<Self, Error> {
        let (sources, outputs) = (request.sources(), program.outputs().len());
        let sizes: Vec<_> = sources.iter().map(|&s| program.elements(s).len()).collect();
        let all: usize = sizes.iter().sum();
        let is_shared = |&source: &usize| !program.arguments()[source].per_sample;
        let has_total = request.total().is_some();
        let (mut joined, mut stride) = (false, 0);
        let mut summed: Vec<_> = sources.iter().map(|s| has_total && is_shared(s)).collect();
        let widths = match request {
            Request::Values | Request::Gradient { .. } => sizes,
            Request::Pullback { .. } if outputs == 1 => sizes,
            Request::Jacobian { .. } | Request::Pullback { .. } => {
                assert!(!has_total, "a total is that of one output");
                (joined, stride, summed) = (true, all, vec![false]);
                vec![all * outputs]
            }
            Request::Directional { what: Directional::Derivative { widths }, .. } => {
                assert!(widths.iter().sum::<usize>() == outputs, "widths for {outputs} outputs");
                assert!(!has_total || outputs == 1, "a total is that of one output");
                summed = vec![has_total; widths.len()];
                widths.clone()
            }
            Request::Directional { what, .. } => {
                assert!(outputs == 1, "a gradient is that of one output");
                if *what == Directional::Hessian {
                    assert!(!has_total || sources.iter().all(is_shared), "a total is of shared arguments");
                    let entries = all.checked_mul(all).ok_or(Error::OutOfMemory)?;
                    (joined, summed) = (true, vec![has_total]);
                    vec![entries]
                } else {
                    sizes
                }
            }
        };
        let mut elements = vec![];
        room::reserve_exact(&mut elements, all)?;
        for (array, &source) in sources.iter().enumerate() {
            for (place, element) in program.elements(source).enumerate() {
                elements.push(if joined { (element, 0, elements.len()) } else { (element, array, place) });
            }
        }
        Ok(Self { elements, stride, widths, summed })
    }
}
