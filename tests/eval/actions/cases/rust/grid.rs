//! A small grid of cells and Conway's rules on it.

#[derive(Debug, Clone, PartialEq)]
pub struct Grid {
    pub width: usize,
    pub height: usize,
    cells: Vec<bool>,
}

impl Grid {
    pub fn new(width: usize, height: usize) -> Grid {
        Grid { width, height, cells: vec![false; width * height] }
    }

    pub fn parse(text: &str) -> Option<Grid> {
        let lines: Vec<&str> = text.lines().collect();
        let width = lines.first()?.len();
        if lines.iter().any(|line| line.len() != width) {
            return None;
        }
        let cells = lines.iter().flat_map(|line| line.chars().map(|c| c == '#')).collect();
        Some(Grid { width, height: lines.len(), cells })
    }

    pub fn get(&self, x: usize, y: usize) -> bool {
        x < self.width && y < self.height && self.cells[y * self.width + x]
    }

    pub fn set(&mut self, x: usize, y: usize, alive: bool) {
        if x < self.width && y < self.height {
            self.cells[y * self.width + x] = alive;
        }
    }

    pub fn neighbours(&self, x: usize, y: usize) -> usize {
        let mut count = 0;
        for dy in [-1i64, 0, 1] {
            for dx in [-1i64, 0, 1] {
                let (nx, ny) = (x as i64 + dx, y as i64 + dy);
                if (dx, dy) != (0, 0) && nx >= 0 && ny >= 0 && self.get(nx as usize, ny as usize) {
                    count += 1;
                }
            }
        }
        count
    }

    pub fn step(&self) -> Grid {
        let mut next = Grid::new(self.width, self.height);
        for y in 0..self.height {
            for x in 0..self.width {
                let around = self.neighbours(x, y);
                next.set(x, y, around == 3 || (around == 2 && self.get(x, y)));
            }
        }
        next
    }

    pub fn alive(&self) -> usize {
        self.cells.iter().filter(|cell| **cell).count()
    }
}

pub fn column_totals(rows: &[Vec<u32>]) -> Vec<u32> {
    let mut totals = Vec::new();
    for row in rows {
        for (index, value) in row.iter().enumerate() {
            if index == totals.len() {
                totals.push(0);
            }
            totals[index] += value;
        }
    }
    totals
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blinker_turns() {
        let blinker = Grid::parse("...\n###\n...").unwrap();
        assert_eq!(blinker.neighbours(1, 0), 3);
        assert_eq!(blinker.step(), Grid::parse(".#.\n.#.\n.#.").unwrap());
        assert_eq!(blinker.alive(), 3);
    }

    #[test]
    fn ragged_text_is_no_grid() {
        assert_eq!(Grid::parse("..\n."), None);
    }

    #[test]
    fn totals() {
        assert_eq!(column_totals(&[vec![1, 2], vec![3, 4]]), vec![4, 6]);
    }
}
