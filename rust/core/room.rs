//! Memory that may be refused.
//!
//! What grows with the user's program, arena, graphs and plans, asks for room here before anything is
//! changed, so that a refusal leaves everything as it was.

use crate::error::Error;

/// Room for so many more elements. Grows by doubling, as `Vec::push` does, and where that is too much by an
/// eighth: by less, moving it again and again would take for ever.
pub fn reserve<T>(vec: &mut Vec<T>, more: usize) -> Result<(), Error> {
    if vec.capacity() - vec.len() >= more || vec.try_reserve(more).is_ok() {
        return Ok(());
    }
    reserve_exact(vec, more.max(vec.len() / 8))
}

/// Room for so many more elements and no others.
pub fn reserve_exact<T>(vec: &mut Vec<T>, more: usize) -> Result<(), Error> {
    vec.try_reserve_exact(more).map_err(|_| Error::OutOfMemory)
}

/// Makes a vector at least this long.
pub fn grow<T: Clone>(vec: &mut Vec<T>, len: usize, with: T) -> Result<(), Error> {
    if vec.len() < len {
        let more = len - vec.len();
        reserve(vec, more)?;
        vec.resize(len, with);
    }
    Ok(())
}

/// A vector of so many elements.
pub fn filled<T: Clone>(len: usize, with: T) -> Result<Vec<T>, Error> {
    let mut vec = vec![];
    reserve_exact(&mut vec, len)?;
    vec.resize(len, with);
    Ok(vec)
}

/// Whether there is memory for so many bytes, which is not taken: what is built of many small parts asks
/// beforehand for what it will come to.
pub fn probe(bytes: usize) -> Result<(), Error> {
    reserve_exact(&mut Vec::<u8>::new(), bytes)
}

/// Appends an element.
#[inline(always)]
pub fn push<T>(vec: &mut Vec<T>, element: T) -> Result<(), Error> {
    if vec.len() == vec.capacity() {
        reserve(vec, 1)?;
    }
    vec.push(element);
    Ok(())
}

/// What a function gives that cannot be refused memory: as everywhere in Rust, it does not return.
#[track_caller]
pub fn granted<T>(result: Result<T, Error>) -> T {
    match result {
        Ok(result) => result,
        Err(error) => refused(&error),
    }
}

#[cold]
#[track_caller]
fn refused(error: &Error) -> ! {
    panic!("{error}")
}
