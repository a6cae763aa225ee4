use fastrand::Rng;

/// Users as busy as they are on the web: the second busiest does half of what the busiest does, the third a third.
///
/// Samples with the alias method: one column of a table is drawn, then one of the two users who share it.
pub(super) struct Zipf {
    columns: Vec<Column>,
}

#[derive(Clone, Copy)]
struct Column {
    /// How much of the column belongs to its own user.
    own: f64,
    other: u32,
}

impl Zipf {
    pub(super) fn new(users: u32) -> Self {
        let total: f64 = (1..=users).map(|rank| 1.0 / f64::from(rank)).sum();
        let mean = total / f64::from(users);
        let mut columns: Vec<Column> =
            (1..=users).map(|rank| Column { own: 1.0 / f64::from(rank) / mean, other: rank - 1 }).collect();
        let all = 0..columns.len();
        let (mut takers, mut givers): (Vec<usize>, Vec<usize>) =
            all.partition(|user| columns[*user].own < 1.0);
        while let (Some(giver), Some(taker)) = (givers.last().copied(), takers.pop()) {
            columns[taker].other = giver as u32;
            columns[giver].own -= 1.0 - columns[taker].own;
            if columns[giver].own < 1.0 {
                givers.pop();
                takers.push(giver);
            }
        }
        Self { columns }
    }

    /// The rank of a user, from 0.
    pub(super) fn draw(&self, random: &mut Rng) -> u32 {
        let column = random.u32(..self.columns.len() as u32);
        let Column { own, other } = self.columns[column as usize];
        if random.f64() < own { column } else { other }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_busiest_user_does_half_of_what_the_busiest_does() {
        let zipf = Zipf::new(1000);
        let mut random = Rng::with_seed(7);
        let mut drawn = vec![0_u32; 1000];
        for _ in 0..1_000_000 {
            drawn[zipf.draw(&mut random) as usize] += 1;
        }
        // 1 / (1 + 1/2 + … + 1/1000) of all, and a half of it.
        assert!((130_000..137_000).contains(&drawn[0]), "{}", drawn[0]);
        assert!((65_000..69_000).contains(&drawn[1]), "{}", drawn[1]);
        assert!((100..170).contains(&drawn[999]), "{}", drawn[999]);
    }
}
