//! Results into rows of the caller.

use crate::batch::execute::dispatch::{Work, prefetch};
use crate::batch::execute::lines::Lines;
use crate::batch::execute::slots::{LANES, Line};

/// What stands at a place of every row; zeros if there is nothing.
#[derive(Clone, Copy)]
pub(crate) struct Column<'a> {
    pub place: usize,
    pub of: Option<Lines<'a>>,
}

/// Writes columns, in ascending order, into rows: what `of` makes of each number.
pub(crate) struct Rows<'a, F> {
    pub rows: &'a mut [f64],
    pub width: usize,
    pub columns: &'a [Column<'a>],
    pub of: F,
}

/// From so many columns on rows are written in tiles: a column by itself would go through all of the cache.
const WIDE: usize = 12;

/// Rows and columns that are written together.
const TILE: usize = 4;

impl<F: Fn(f64) -> f64> Work for Rows<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { rows, width, columns, of } = self;
        if columns.is_empty() {
            return;
        }
        if let (1, &[Column { of: Some(lines), .. }]) = (width, columns)
            && !lines.is_uniform
        {
            // Contiguous, so that it is a plain copy where nothing is made of the numbers.
            return rows.iter_mut().zip(lines.lines.as_flattened()).for_each(|(to, &from)| *to = of(from));
        }
        if columns.len() < WIDE {
            for column in columns {
                let places = rows.iter_mut().skip(column.place).step_by(width);
                match column.of {
                    Some(lines) if lines.is_uniform => places.for_each(|to| *to = of(lines.lines[0][0])),
                    Some(lines) => {
                        places.zip(lines.lines.as_flattened()).for_each(|(to, &from)| *to = of(from));
                    }
                    None => places.for_each(|to| *to = 0.0),
                }
            }
            return;
        }
        debug_assert!(columns.is_sorted_by(|a, b| a.place < b.place), "columns stand in ascending order");
        let (mut left, mut line) = (rows, 0);
        while !left.is_empty() {
            let (rows, rest) = left.split_at_mut(left.len().min(LANES * width));
            // Columns go through memory in jumps, which a processor does not foresee.
            prefetch(&rest[..rest.len().min(LANES * width)]);
            for columns in columns.chunks(TILE) {
                let numbers = [0, 1, 2, 3].map(|number| {
                    let of = columns.get(number).and_then(|column| column.of);
                    of.map_or(&ZEROS, |lines| lines.at(line))
                });
                let place = columns[0].place;
                let are_side_by_side = columns.len() == TILE && columns[TILE - 1].place == place + TILE - 1;
                if are_side_by_side && rows.len() == LANES * width {
                    write(rows, width, place, numbers, &of);
                    continue;
                }
                for (column, numbers) in columns.iter().zip(numbers) {
                    let places = rows[column.place..].iter_mut().step_by(width);
                    places.zip(numbers).for_each(|(to, &from)| *to = of(from));
                }
            }
            (left, line) = (rest, line + 1);
        }
    }
}

const ZEROS: Line = [0.0; LANES];

/// Writes columns that stand side by side into the rows of a line, by squares that are small enough to be turned in
/// registers.
#[inline(always)]
fn write(rows: &mut [f64], width: usize, place: usize, columns: [&Line; TILE], of: &impl Fn(f64) -> f64) {
    for (square, rows) in rows.chunks_exact_mut(TILE * width).enumerate() {
        let mut turned = [[0.0; TILE]; TILE];
        for column in 0..TILE {
            for row in 0..TILE {
                turned[row][column] = of(columns[column][square * TILE + row]);
            }
        }
        for (row, numbers) in rows.chunks_exact_mut(width).zip(&turned) {
            row[place..place + TILE].copy_from_slice(numbers);
        }
    }
}
