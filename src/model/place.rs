//! Places: countries, subdivisions, regions, zones and coordinates.
//!
//! Invariants: a [`Country`] is an officially assigned ISO 3166-1 alpha-2 code; a [`Subdivision`] has
//! the form of an ISO 3166-2 code of such a country; a [`RegionKey`] is `provider/region`.
//! Deliberately absent: which region lies in which country. That is looked up in the catalogue, never
//! asserted by a node.

use std::fmt;
use std::sync::Arc;

/// ISO 3166-1 alpha-2 codes officially assigned as of 2026-11-21, in order. Source: ISO 3166-1:2020 and
/// its newsletters.
static COUNTRY_CODES: [&str; 249] = [
    "AD", "AE", "AF", "AG", "AI", "AL", "AM", "AO", "AQ", "AR", "AS", "AT", "AU", "AW", "AX", "AZ", "BA",
    "BB", "BD", "BE", "BF", "BG", "BH", "BI", "BJ", "BL", "BM", "BN", "BO", "BQ", "BR", "BS", "BT", "BV",
    "BW", "BY", "BZ", "CA", "CC", "CD", "CF", "CG", "CH", "CI", "CK", "CL", "CM", "CN", "CO", "CR", "CU",
    "CV", "CW", "CX", "CY", "CZ", "DE", "DJ", "DK", "DM", "DO", "DZ", "EC", "EE", "EG", "EH", "ER", "ES",
    "ET", "FI", "FJ", "FK", "FM", "FO", "FR", "GA", "GB", "GD", "GE", "GF", "GG", "GH", "GI", "GL", "GM",
    "GN", "GP", "GQ", "GR", "GS", "GT", "GU", "GW", "GY", "HK", "HM", "HN", "HR", "HT", "HU", "ID", "IE",
    "IL", "IM", "IN", "IO", "IQ", "IR", "IS", "IT", "JE", "JM", "JO", "JP", "KE", "KG", "KH", "KI", "KM",
    "KN", "KP", "KR", "KW", "KY", "KZ", "LA", "LB", "LC", "LI", "LK", "LR", "LS", "LT", "LU", "LV", "LY",
    "MA", "MC", "MD", "ME", "MF", "MG", "MH", "MK", "ML", "MM", "MN", "MO", "MP", "MQ", "MR", "MS", "MT",
    "MU", "MV", "MW", "MX", "MY", "MZ", "NA", "NC", "NE", "NF", "NG", "NI", "NL", "NO", "NP", "NR", "NU",
    "NZ", "OM", "PA", "PE", "PF", "PG", "PH", "PK", "PL", "PM", "PN", "PR", "PS", "PT", "PW", "PY", "QA",
    "RE", "RO", "RS", "RU", "RW", "SA", "SB", "SC", "SD", "SE", "SG", "SH", "SI", "SJ", "SK", "SL", "SM",
    "SN", "SO", "SR", "SS", "ST", "SV", "SX", "SY", "SZ", "TC", "TD", "TF", "TG", "TH", "TJ", "TK", "TL",
    "TM", "TN", "TO", "TR", "TT", "TV", "TW", "TZ", "UA", "UG", "UM", "US", "UY", "UZ", "VA", "VC", "VE",
    "VG", "VI", "VN", "VU", "WF", "WS", "YE", "YT", "ZA", "ZM", "ZW",
];

/// Codes that people write for a country although ISO assigns another: the European Commission's own
/// abbreviations, and a reserved one.
const NEAR_MISSES: [(&str, &str); 2] = [("UK", "GB"), ("EL", "GR")];

/// A text that names no place.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum InvalidPlace {
    /// Not an officially assigned ISO 3166-1 alpha-2 code.
    #[error("`{0}` is not an ISO 3166-1 country code")]
    Country(String),
    /// Not of the form of an ISO 3166-2 code.
    #[error("`{0}` is not an ISO 3166-2 subdivision code")]
    Subdivision(String),
    /// Not of the form `provider/region`.
    #[error("`{0}` is not a region key of the form `provider/region`")]
    Region(String),
    /// A latitude outside -90..=90 or a longitude outside -180..=180 degrees.
    #[error("latitude {latitude} and longitude {longitude} are not on the globe")]
    Coordinates {
        /// Degrees north.
        latitude: f64,
        /// Degrees east.
        longitude: f64,
    },
}

/// A country or territory by its ISO 3166-1 alpha-2 code.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Country(u8);

impl Country {
    /// Looks a code up. Case matters: ISO codes are upper case.
    ///
    /// # Errors
    /// Where the code is not officially assigned.
    pub fn new(code: &str) -> Result<Self, InvalidPlace> {
        COUNTRY_CODES
            .binary_search(&code)
            .ok()
            .and_then(|index| u8::try_from(index).ok())
            .map(Self)
            .ok_or_else(|| InvalidPlace::Country(code.to_owned()))
    }

    /// The two-letter code.
    #[must_use]
    pub fn code(self) -> &'static str {
        COUNTRY_CODES.get(usize::from(self.0)).copied().unwrap_or("")
    }

    /// Every country, in the order of its code.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..=u8::MAX).take(COUNTRY_CODES.len()).map(Self)
    }
}

impl fmt::Debug for Country {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.code())
    }
}

impl fmt::Display for Country {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.code())
    }
}

/// The country that is meant by a code which people write by mistake, such as `UK` for `GB`.
#[must_use]
pub fn country_from_near_miss(code: &str) -> Option<Country> {
    let upper = code.to_ascii_uppercase();
    let meant = NEAR_MISSES
        .iter()
        .find(|(written, _)| *written == upper)
        .map_or(upper.as_str(), |(_, iso)| *iso);
    Country::new(meant).ok()
}

/// A set of countries; membership is one bit test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct CountrySet([u64; 4]);

impl CountrySet {
    /// Adds a country.
    pub fn insert(&mut self, country: Country) {
        if let Some(word) = self.0.get_mut(usize::from(country.0 / 64)) {
            *word |= 1 << (country.0 % 64);
        }
    }

    /// Whether the country is in the set.
    #[must_use]
    pub fn contains(&self, country: Country) -> bool {
        self.0
            .get(usize::from(country.0 / 64))
            .is_some_and(|word| word & (1 << (country.0 % 64)) != 0)
    }

    /// The countries in order of their codes.
    pub fn iter(&self) -> impl Iterator<Item = Country> + '_ {
        Country::all().filter(|country| self.contains(*country))
    }

    /// Whether no country is in the set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0 == [0; 4]
    }
}

/// A part of a country by its ISO 3166-2 code, such as `CA-QC`. The form is checked and the country is;
/// whether the part exists is not.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subdivision {
    country: Country,
    code: Arc<str>,
}

impl Subdivision {
    /// Checks a code such as `CA-QC`.
    ///
    /// # Errors
    /// Where the form is not a country code, a hyphen and one to three capital letters or digits.
    pub fn new(code: &str) -> Result<Self, InvalidPlace> {
        let invalid = || InvalidPlace::Subdivision(code.to_owned());
        let (country, part) = code.split_once('-').ok_or_else(invalid)?;
        let country = Country::new(country).map_err(|_| invalid())?;
        let of_right_length = (1..=3).contains(&part.len());
        if !of_right_length
            || !part
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
        {
            return Err(invalid());
        }
        Ok(Self {
            country,
            code: Arc::from(code),
        })
    }

    /// The country that it is a part of.
    #[must_use]
    pub fn country(&self) -> Country {
        self.country
    }

    /// The code, such as `CA-QC`.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }
}

impl fmt::Debug for Subdivision {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.code)
    }
}

impl fmt::Display for Subdivision {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.code)
    }
}

/// Whether something is in a set of places, where a fact may be missing (docs/policies.md, 3, "Places").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Membership {
    /// Surely outside.
    Out,
    /// A missing fact decides.
    May,
    /// Surely inside.
    In,
}

impl Membership {
    /// Membership in the union of two sets.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        self.max(other)
    }

    /// Membership in the intersection of two sets.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        self.min(other)
    }

    /// Membership in everything that is not in the set.
    #[must_use]
    pub fn complement(self) -> Self {
        match self {
            Self::In => Self::Out,
            Self::May => Self::May,
            Self::Out => Self::In,
        }
    }
}

fn is_key_part(part: &str) -> bool {
    !part.is_empty()
        && part
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

/// A region of a provider, written `provider/region`, such as `aws/eu-central-1`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RegionKey {
    key: Arc<str>,
    slash: usize,
}

impl RegionKey {
    /// Takes `provider/region` apart.
    ///
    /// # Errors
    /// Where the text is not two non-empty parts of letters, digits, hyphens, dots and underscores.
    pub fn parse(key: &str) -> Result<Self, InvalidPlace> {
        match key.split_once('/') {
            Some((provider, region)) if is_key_part(provider) && is_key_part(region) => Ok(Self {
                key: Arc::from(key),
                slash: provider.len(),
            }),
            _ => Err(InvalidPlace::Region(key.to_owned())),
        }
    }

    /// Joins a provider and a region.
    ///
    /// # Errors
    /// As [`RegionKey::parse`].
    pub fn new(provider: &str, region: &str) -> Result<Self, InvalidPlace> {
        Self::parse(&format!("{provider}/{region}"))
    }

    /// The provider, such as `aws`.
    #[must_use]
    pub fn provider(&self) -> &str {
        self.key.get(..self.slash).unwrap_or("")
    }

    /// The region as the provider names it, such as `eu-central-1`.
    #[must_use]
    pub fn region(&self) -> &str {
        self.key.get(self.slash + 1..).unwrap_or("")
    }

    /// The whole key.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.key
    }
}

impl fmt::Debug for RegionKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.key)
    }
}

impl fmt::Display for RegionKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.key)
    }
}

/// A zone of a region, written `provider/region/zone`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ZoneKey {
    /// The region that it belongs to.
    pub region: RegionKey,
    /// The zone as the provider names it, such as `eu-central-1a`.
    pub zone: Arc<str>,
}

impl fmt::Display for ZoneKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.region, self.zone)
    }
}

/// A point on the globe.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Coordinates {
    latitude_degrees: f64,
    longitude_degrees: f64,
}

/// Mean radius of the Earth in kilometres (IUGG mean radius R1).
const EARTH_RADIUS_KM: f64 = 6_371.009;

impl Coordinates {
    /// Checks a latitude (-90..=90 degrees north) and a longitude (-180..=180 degrees east).
    ///
    /// # Errors
    /// Where a value is outside its range or not a number.
    pub fn new(latitude: f64, longitude: f64) -> Result<Self, InvalidPlace> {
        if (-90.0..=90.0).contains(&latitude) && (-180.0..=180.0).contains(&longitude) {
            Ok(Self {
                latitude_degrees: latitude,
                longitude_degrees: longitude,
            })
        } else {
            Err(InvalidPlace::Coordinates { latitude, longitude })
        }
    }

    /// Great-circle distance in kilometres, by the haversine formula; off by at most 0.5% because the
    /// Earth is no sphere.
    #[must_use]
    pub fn distance_km(self, other: Self) -> f64 {
        let latitude = (other.latitude_degrees - self.latitude_degrees).to_radians();
        let longitude = (other.longitude_degrees - self.longitude_degrees).to_radians();
        let haversine = (latitude / 2.0).sin().powi(2)
            + self.latitude_degrees.to_radians().cos()
                * other.latitude_degrees.to_radians().cos()
                * (longitude / 2.0).sin().powi(2);
        2.0 * EARTH_RADIUS_KM * haversine.sqrt().min(1.0).asin()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_found_again_and_they_are_in_order() {
        assert!(COUNTRY_CODES.is_sorted());
        assert_eq!(Country::all().count(), 249);
        for country in Country::all() {
            assert_eq!(Country::new(country.code()), Ok(country));
        }
    }

    #[test]
    fn codes_that_are_not_iso_are_refused_and_near_misses_are_known() {
        for wrong in ["UK", "EL", "EU", "de", "", "DEU"] {
            assert_eq!(
                Country::new(wrong),
                Err(InvalidPlace::Country(wrong.to_owned())),
                "{wrong}"
            );
        }
        assert_eq!(country_from_near_miss("UK").map(Country::code), Some("GB"));
        assert_eq!(country_from_near_miss("el").map(Country::code), Some("GR"));
        assert_eq!(country_from_near_miss("de").map(Country::code), Some("DE"));
        assert_eq!(country_from_near_miss("EU"), None);
    }

    #[test]
    fn a_set_of_countries_holds_what_was_put_in() {
        let mut set = CountrySet::default();
        assert!(set.is_empty());
        let first = Country::new("AD").expect("Andorra");
        let last = Country::new("ZW").expect("Zimbabwe");
        set.insert(first);
        set.insert(last);
        assert_eq!(set.iter().collect::<Vec<_>>(), vec![first, last]);
    }

    #[test]
    fn subdivisions_and_keys_have_their_form() {
        assert_eq!(Subdivision::new("CA-QC").expect("Quebec").country().code(), "CA");
        for wrong in ["CA", "CA-", "CA-qc", "UK-ENG", "CA-QUEB"] {
            assert!(Subdivision::new(wrong).is_err(), "{wrong}");
        }
        let key = RegionKey::parse("aws/eu-central-1").expect("a key");
        assert_eq!((key.provider(), key.region()), ("aws", "eu-central-1"));
        for wrong in ["aws", "/x", "aws/", "a/b/c", "aws/eu central"] {
            assert!(RegionKey::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn frankfurt_to_dublin_is_about_a_thousand_kilometres() {
        let frankfurt = Coordinates::new(50.11, 8.68).expect("Frankfurt");
        let dublin = Coordinates::new(53.35, -6.26).expect("Dublin");
        let distance = frankfurt.distance_km(dublin);
        assert!((1_080.0..1_100.0).contains(&distance), "{distance}");
        assert!(Coordinates::new(91.0, 0.0).is_err());
        assert!(Coordinates::new(f64::NAN, 0.0).is_err());
    }
}
