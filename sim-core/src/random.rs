//! Randomness keyed by what a draw is for.
//!
//! There is no stream whose position depends on what happened before. A [`Key`] names one draw, or
//! a family of draws, and is derived step by step from the seed: replication, purpose, population,
//! ordinal of the request, call path, attempt. Two runs that ask for the same name get the same
//! number whatever else they drew, so two worlds can be compared request by request, and a clone of
//! a running simulation shares nothing with its parent.
//!
//! ```text
//! Key::root(seed, replication) --named("demand")--> Key --index(4711)--> Key --rng()--> KeyedRng --> draws
//! ```
//!
//! ```
//! use sim_core::random::Key;
//!
//! let demands = Key::root(42, 0).named("demand");
//! let once = demands.index(4711).uniform();
//! assert_eq!(once, demands.index(4711).uniform());
//! assert_ne!(once, demands.index(4712).uniform());
//! ```
//!
//! Everything here is integer arithmetic modulo 2⁶⁴ and one exact conversion to `f64`: equal bits on
//! every platform, which the golden values in the tests pin.

use std::convert::Infallible;

use rand_core::TryRng;

/// Step of the SplitMix64 counter: 2⁶⁴ divided by the golden ratio, made odd.
const DRAW_STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// Step from one index to the next: the fractional part of √3, made odd. It differs from
/// [`DRAW_STEP`], otherwise the keys `index(0)`, `index(1)`, … would be the draws of their parent.
const INDEX_STEP: u64 = 0xbb67_ae85_84ca_a73b;

/// Added to the seed, so that the seed 0 is nothing special: the fractional part of √5.
const SEED_OFFSET: u64 = 0x3c6e_f372_fe94_f82b;

/// Variant 13 of Stafford's finalisers, which SplitMix64 uses: a bijection of the 64-bit words in
/// which every input bit flips every output bit with a probability close to one half.
///
/// Source: D. Stafford, "Better Bit Mixing", 2011; see [`KeyedRng`].
#[inline]
const fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A number for a name: the same on every platform and in every version of this crate.
///
/// FNV-1a over the bytes of the UTF-8 text (Fowler, Noll, Vo), finished by one mixing round.
pub const fn hash_name(name: &str) -> u64 {
    let bytes = name.as_bytes();
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let mut at = 0;
    while at < bytes.len() {
        hash = (hash ^ bytes[at] as u64).wrapping_mul(0x0000_0100_0000_01b3);
        at += 1;
    }
    mix(hash)
}

/// Names a draw, or a family of draws.
///
/// Deriving a key is a hash of one mixing round, and its order matters: `index(1).index(2)` is not
/// `index(2).index(1)`. Distinct derivations give distinct keys except by the chance of a 64-bit
/// hash: among a hundred million keys, one pair coincides with a probability of 0.03%.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key(u64);

impl Key {
    /// The key all others of one replication derive from.
    pub const fn root(seed: u64, replication: u64) -> Self {
        Self(mix(seed.wrapping_add(SEED_OFFSET))).index(replication)
    }

    /// The key with these bits, as [`Key::bits`] gave them.
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// The bits of this key, for digests and for passing it on as a number.
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// The key called `name` under this one.
    ///
    /// Hashes the text: do it once when a system is compiled, not for every draw.
    pub const fn named(self, name: &str) -> Self {
        Self(mix(self.0 ^ hash_name(name)))
    }

    /// The key numbered `i` under this one.
    #[inline]
    pub const fn index(self, i: u64) -> Self {
        Self(mix(self.0.wrapping_add(i.wrapping_add(1).wrapping_mul(INDEX_STEP))))
    }

    /// A generator for as many draws as the sampling of this key's value takes.
    #[inline]
    pub const fn rng(self) -> KeyedRng {
        KeyedRng(self.0)
    }

    /// The first draw of this key as a number in [0, 1): a multiple of 2⁻⁵³.
    #[inline]
    pub fn uniform(self) -> f64 {
        self.rng().uniform()
    }

    /// The first draw of this key as a whole number below `n`; 0 if `n` is 0.
    ///
    /// It is ⌊n·draw / 2⁶⁴⌋, without rejection. The probability of each number differs from 1/n by
    /// less than 2⁻⁶⁴, a relative bias below n / 2⁶⁴: for n of a million less than 10⁻¹³.
    #[inline]
    pub const fn below(self, n: u64) -> u64 {
        let draw = self.rng().next_u64();
        ((draw as u128 * n as u128) >> 64) as u64
    }
}

/// SplitMix64, started from a key.
///
/// A counter with a fixed odd step, mixed: eight bytes of state, period 2⁶⁴, each word once a
/// period. Two keys a multiple of the step apart would share a stream; keys are hashes, so that
/// among K keys with L draws each it happens with a probability of about K²L / 2⁶⁴.
///
/// Source: G. L. Steele, D. Lea, C. H. Flood, "Fast Splittable Pseudorandom Number Generators",
/// OOPSLA 2014, with the finaliser of Stafford's variant 13.
#[derive(Clone, Debug)]
pub struct KeyedRng(u64);

impl KeyedRng {
    /// The next 64 random bits.
    #[inline]
    pub const fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(DRAW_STEP);
        mix(self.0)
    }

    /// A number in [0, 1): a multiple of 2⁻⁵³.
    #[inline]
    pub const fn uniform(&mut self) -> f64 {
        // i64, as the hardware converts signed numbers faster; 53 bits are never negative.
        (self.next_u64() >> 11) as i64 as f64 * (1.0 / (1_u64 << 53) as f64)
    }

    /// A number in (0, 1), never an end: an odd multiple of 2⁻⁵³.
    #[inline]
    pub const fn open01(&mut self) -> f64 {
        ((self.next_u64() >> 12) as i64 as f64 + 0.5) * (1.0 / (1_u64 << 52) as f64)
    }
}

/// For use with `rand`'s and `rand_distr`'s samplers; the inherent methods need no trait.
impl TryRng for KeyedRng {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok((self.next_u64() >> 32) as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.next_u64())
    }

    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Infallible> {
        rand_core::utils::fill_bytes_via_next_word(dst, || Ok(self.next_u64()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_split_mix_64() {
        // The reference implementation's output for the seed 1234567 (prng.di.unimi.it/splitmix64.c).
        let mut rng = Key::from_bits(1_234_567).rng();
        let draws = [(); 5].map(|()| rng.next_u64());
        assert_eq!(
            draws,
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423,
                4_593_380_528_125_082_431,
                16_408_922_859_458_223_821,
            ]
        );
    }

    #[test]
    fn the_bits_of_derived_keys_never_change() {
        const DEMAND: Key = Key::root(42, 7).named("demand");
        assert_eq!(hash_name(""), GOLDEN[0]);
        assert_eq!(hash_name("payments"), GOLDEN[1]);
        assert_eq!(Key::root(0, 0).bits(), GOLDEN[2]);
        assert_eq!(DEMAND.bits(), GOLDEN[3]);
        assert_eq!(DEMAND.index(4711).bits(), GOLDEN[4]);
        assert_eq!(DEMAND.index(4711).index(u64::MAX).bits(), GOLDEN[5]);
        assert_eq!(DEMAND.index(4711).below(1_000_000), GOLDEN[6]);
        assert_eq!(DEMAND.index(4711).uniform().to_bits(), GOLDEN[7]);
    }

    /// By an independent computation, in Python.
    const GOLDEN: [u64; 8] = [
        0xf52a_15e9_a9b5_e89b,
        0x6570_b212_9171_541f,
        0xa136_e275_7fa0_248d,
        0xdc19_759d_1177_45f4,
        0x452e_99f8_4a03_4e46,
        0xba5c_c8be_0006_d755,
        107_756,
        0x3fbb_95f1_1eb7_1150,
    ];

    #[test]
    fn every_step_of_a_derivation_counts() {
        let a = Key::root(1, 0);
        assert_ne!(a.index(1).index(2), a.index(2).index(1));
        assert_ne!(a.named("x").named("y"), a.named("y").named("x"));
        assert_ne!(a.named("x").index(1), a.index(1).named("x"));
        assert_ne!(a.named("xy"), a.named("x").named("y"));
        assert_ne!(a.index(0), a);
        assert_ne!(a.named(""), a);
        assert_ne!(Key::root(1, 0), Key::root(0, 1));
        // Not the draws of the parent either.
        let mut rng = a.rng();
        assert!((0..100).all(|i| a.index(i).bits() != rng.next_u64()));
    }

    #[test]
    fn stays_within_its_bounds() {
        let keys = (0..10_000).map(|i| Key::root(3, 0).index(i));
        for key in keys {
            assert!((0.0..1.0).contains(&key.uniform()));
            assert!(key.below(7) < 7);
            assert_eq!(key.below(1), 0);
            assert_eq!(key.below(0), 0);
            let open = key.rng().open01();
            assert!(open > 0.0 && open < 1.0);
        }
    }

    #[test]
    fn the_open_interval_leaves_out_both_ends() {
        // Inverts the mixing, so that the draw is all zeros or all ones.
        fn rng_drawing(word: u64) -> KeyedRng {
            fn unshift(z: u64, by: u32) -> u64 {
                z ^ (z >> by) ^ (z >> (2 * by)) ^ if 3 * by < 64 { z >> (3 * by) } else { 0 }
            }
            fn inverse(a: u64) -> u64 {
                (0..6).fold(a, |x, _| x.wrapping_mul(2_u64.wrapping_sub(a.wrapping_mul(x))))
            }
            let z = unshift(word, 31).wrapping_mul(inverse(0x94d0_49bb_1331_11eb));
            let z = unshift(z, 27).wrapping_mul(inverse(0xbf58_476d_1ce4_e5b9));
            KeyedRng(unshift(z, 30).wrapping_sub(DRAW_STEP))
        }
        for word in [0, u64::MAX] {
            assert_eq!(rng_drawing(word).next_u64(), word);
            let open = rng_drawing(word).open01();
            assert!(open > 0.0 && open < 1.0, "{open:e}");
        }
        assert_eq!(rng_drawing(0).uniform(), 0.0);
        assert_eq!(rng_drawing(u64::MAX).uniform(), 1.0_f64.next_down());
    }
}
