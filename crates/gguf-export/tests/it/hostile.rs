//! Files made to hurt: every one is refused with the byte where it goes wrong, and none is believed about a length.

use gguf_export::{GgmlType, Header, Metadata, ReadErrorKind, Value, Writer};
use proptest::prelude::*;

const U8: u32 = 0;
const U32: u32 = 4;
const I32: u32 = 5;
const BOOL: u32 = 7;
const STRING: u32 = 8;
const ARRAY: u32 = 9;
const U64: u32 = 10;

fn string(text: &[u8]) -> Vec<u8> {
    [&(text.len() as u64).to_le_bytes(), text].concat()
}

fn entry(key: &[u8], kind: u32, value: &[u8]) -> Vec<u8> {
    [&string(key)[..], &kind.to_le_bytes(), value].concat()
}

fn array(kind: u32, len: u64, values: &[u8]) -> Vec<u8> {
    [&kind.to_le_bytes()[..], &len.to_le_bytes(), values].concat()
}

fn tensor(name: &[u8], dims: &[u64], ggml_type: u32, offset: u64) -> Vec<u8> {
    let dims_bytes: Vec<u8> = dims.iter().flat_map(|dim| dim.to_le_bytes()).collect();
    let count = (dims.len() as u32).to_le_bytes();
    [&string(name)[..], &count, &dims_bytes, &ggml_type.to_le_bytes(), &offset.to_le_bytes()].concat()
}

/// A file as its maker wants it: what a field leaves out is honest.
#[derive(Clone)]
struct Forged {
    magic: [u8; 4],
    version: u32,
    entries: Vec<Vec<u8>>,
    n_entries: Option<u64>,
    tensors: Vec<Vec<u8>>,
    n_tensors: Option<u64>,
    alignment: usize,
    data: usize,
}

impl Default for Forged {
    fn default() -> Forged {
        Forged {
            magic: *b"GGUF",
            version: 3,
            entries: vec![entry(b"general.architecture", STRING, &string(b"llama"))],
            n_entries: None,
            tensors: vec![tensor(b"t", &[32, 4], 0, 0)],
            n_tensors: None,
            alignment: 32,
            data: 4096,
        }
    }
}

impl Forged {
    fn with(entries: &[Vec<u8>]) -> Forged {
        Forged { entries: entries.to_vec(), tensors: Vec::new(), ..Forged::default() }
    }

    fn and(extra: Vec<u8>) -> Forged {
        let mut forged = Forged::default();
        forged.entries.push(extra);
        forged
    }

    fn holding(tensors: &[Vec<u8>]) -> Forged {
        Forged { tensors: tensors.to_vec(), ..Forged::default() }
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.magic.to_vec();
        bytes.extend(self.version.to_le_bytes());
        bytes.extend(self.n_tensors.unwrap_or(self.tensors.len() as u64).to_le_bytes());
        bytes.extend(self.n_entries.unwrap_or(self.entries.len() as u64).to_le_bytes());
        bytes.extend(self.entries.concat());
        bytes.extend(self.tensors.concat());
        bytes.resize(bytes.len().next_multiple_of(self.alignment) + self.data, 0);
        bytes
    }
}

/// The bad files of the survey of readers, by name.
fn bad_files() -> Vec<(&'static str, Vec<u8>)> {
    let aligned = |kind, value: &[u8]| Forged::and(entry(b"general.alignment", kind, value)).bytes();
    let with_length = |len: u64| Forged::with(&[[&len.to_le_bytes()[..], b"x"].concat()]).bytes();
    let value = |kind: u32, bytes: &[u8]| Forged::with(&[entry(b"k", kind, bytes)]).bytes();
    let list = |kind: u32, len: u64, bytes: &[u8]| value(ARRAY, &array(kind, len, bytes));
    let one = |name: &[u8], dims: &[u64], kind, offset| {
        Forged::holding(&[tensor(name, dims, kind, offset)]).bytes()
    };
    let two = |first: (&[u64], u64), second: (&[u64], u64)| {
        Forged::holding(&[tensor(b"t", first.0, 0, first.1), tensor(b"u", second.0, 0, second.1)]).bytes()
    };
    let forged = Forged::default;
    let architecture = entry(b"general.architecture", STRING, &string(b"llama"));
    let n_dims = |n: u32| {
        let mut info = tensor(b"t", &[1], 0, 0);
        info[9..13].copy_from_slice(&n.to_le_bytes());
        Forged::holding(&[info]).bytes()
    };
    vec![
        ("empty", Vec::new()),
        ("three bytes", b"GGU".to_vec()),
        ("magic only", b"GGUF".to_vec()),
        ("bad magic", Forged { magic: *b"GGML", ..forged() }.bytes()),
        ("version 0", Forged { version: 0, ..forged() }.bytes()),
        ("version 1", Forged { version: 1, ..forged() }.bytes()),
        ("version 4", Forged { version: 4, ..forged() }.bytes()),
        ("big endian", Forged { version: 0x0300_0000, ..forged() }.bytes()),
        ("keys 2^63 - 1", Forged { n_entries: Some(i64::MAX as u64), ..forged() }.bytes()),
        ("keys -1", Forged { n_entries: Some(u64::MAX), ..forged() }.bytes()),
        ("keys 2^32", Forged { n_entries: Some(1 << 32), ..forged() }.bytes()),
        ("tensors 2^60", Forged { n_tensors: Some(1 << 60), ..forged() }.bytes()),
        ("tensors -1", Forged { n_tensors: Some(u64::MAX), ..forged() }.bytes()),
        ("tensors wrap", Forged { n_tensors: Some(u64::MAX / 368 + 1), ..forged() }.bytes()),
        ("key length 2^64 - 1", with_length(u64::MAX)),
        ("key length 2^63", with_length(1 << 63)),
        ("key length 1 GB", with_length(1 << 30)),
        ("key empty", Forged::with(&[entry(b"", U32, &[1, 0, 0, 0])]).bytes()),
        ("key twice", Forged::with(&[architecture.clone(), architecture.clone()]).bytes()),
        ("key not UTF-8", Forged::with(&[entry(b"\xff\xfe", U32, &[1, 0, 0, 0])]).bytes()),
        ("key with NUL", Forged::with(&[entry(b"a\0b", U32, &[1, 0, 0, 0])]).bytes()),
        ("text length 2^64 - 1", value(STRING, &u64::MAX.to_le_bytes())),
        ("text beyond the file", value(STRING, &[&100_000_u64.to_le_bytes()[..], b"x"].concat())),
        ("text not UTF-8", value(STRING, &string(b"\xc3\x28"))),
        ("value type 13", value(13, &[0; 8])),
        ("value type -1", value(u32::MAX, &[0; 8])),
        ("list of lists", list(ARRAY, 1, &array(U8, 1, &[0]))),
        ("lists 100,000 deep", value(ARRAY, &array(ARRAY, 1, &[]).repeat(100_000))),
        ("list length 2^63", list(U8, 1 << 63, &[])),
        ("list bytes wrap", list(U64, (1 << 61) + 1, &[])),
        ("list of 2^32 texts", list(STRING, 1 << 32, &[])),
        ("list cut short", list(U32, 1_000_000, &[])),
        ("boolean 2", Forged::and(entry(b"k", BOOL, &[2])).bytes()),
        ("alignment 0", aligned(U32, &[0; 4])),
        ("alignment 3", aligned(U32, &[3, 0, 0, 0])),
        ("alignment 2^31", aligned(U32, &(1_u32 << 31).to_le_bytes())),
        ("alignment as i32", aligned(I32, &[32, 0, 0, 0])),
        ("alignment as text", aligned(STRING, &string(b"32"))),
        ("alignment as u64", aligned(U64, &32_u64.to_le_bytes())),
        ("tensor name of 64", one(&[b'n'; 64], &[32], 0, 0)),
        ("tensor name empty", one(b"", &[32], 0, 0)),
        ("tensor twice", Forged::holding(&[tensor(b"t", &[32], 0, 0), tensor(b"t", &[32], 0, 128)]).bytes()),
        ("tensor name length 2^63", Forged::holding(&[(1_u64 << 63).to_le_bytes().to_vec()]).bytes()),
        ("5 dimensions", one(b"t", &[1; 5], 0, 0)),
        ("2^32 - 1 dimensions", n_dims(u32::MAX)),
        ("no dimension", one(b"t", &[], 0, 0)),
        ("dimension 0", one(b"t", &[0, 4], 0, 0)),
        ("dimension -1", one(b"t", &[u64::MAX], 0, 0)),
        ("product overflows", one(b"t", &[1 << 32, 1 << 32], 0, 0)),
        ("bytes overflow", one(b"t", &[1 << 62], 0, 0)),
        ("padding overflows", two((&[(u64::MAX - 3) / 4], 0), (&[32], 0))),
        ("sum overflows", two((&[(1 << 61) - 8], 0), (&[1 << 61], (1 << 63) - 32))),
        ("tensor type 999", one(b"t", &[32], 999, 0)),
        ("tensor type -1", one(b"t", &[32], u32::MAX, 0)),
        ("tensor type given up", one(b"t", &[32], 4, 0)),
        ("Q4_K rows of 100", one(b"t", &[100, 4], 12, 0)),
        ("Q8_0 rows of 31", one(b"t", &[31], 8, 0)),
        ("offset past the end", one(b"t", &[32], 0, 1 << 40)),
        ("offset -1", one(b"t", &[32], 0, u64::MAX)),
        ("offset unaligned", one(b"t", &[32], 0, 7)),
        ("offsets overlap", two((&[32], 0), (&[32], 0))),
        ("offsets with a gap", two((&[32], 0), (&[32], 1024))),
        ("offsets descend", two((&[32], 128), (&[32], 0))),
        ("offset wraps", one(b"t", &[32], 0, u64::MAX - 63)),
        (
            "data cut short",
            Forged { data: 64, ..Forged::holding(&[tensor(b"t", &[1024, 1024], 0, 0)]) }.bytes(),
        ),
        ("one byte short", Forged { data: 511, ..forged() }.bytes()),
        ("no data", Forged { data: 0, ..forged() }.bytes()),
        ("cut in a key", Forged::and(entry(b"x", U32, &[1, 0, 0, 0])).bytes()[..60].to_vec()),
        ("cut in a tensor", forged().bytes()[..90].to_vec()),
    ]
}

#[test]
fn every_bad_file_is_refused_where_it_goes_wrong() {
    let bad = bad_files();
    assert_eq!(bad.len(), 69);
    for (name, bytes) in bad {
        match Header::parse(&bytes) {
            Ok(_) => panic!("{name} was accepted"),
            Err(error) => assert!(error.offset <= bytes.len() as u64, "{name}: {error}"),
        }
    }
}

#[test]
fn sound_files_are_accepted() {
    let alignment = entry(b"general.alignment", U32, &64_u32.to_le_bytes());
    let aligned = Forged { alignment: 64, data: 512, ..Forged::and(alignment) };
    for forged in [Forged { data: 512, ..Forged::default() }, Forged::holding(&[]), aligned] {
        Header::parse(&forged.bytes()).unwrap();
    }
}

#[test]
fn an_error_names_its_byte() {
    let error = Header::parse(&Forged { version: 7, ..Forged::default() }.bytes()).unwrap_err();
    assert_eq!((error.offset, error.kind), (4, ReadErrorKind::Version(7)));
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<u8>().prop_map(Value::U8),
        any::<i16>().prop_map(Value::I16),
        any::<u64>().prop_map(Value::U64),
        (-1e30_f32..1e30).prop_map(Value::F32),
        any::<bool>().prop_map(Value::Bool),
        ".{0,20}".prop_map(Value::String),
        prop::collection::vec(any::<i32>(), 0..9).prop_map(Value::from),
        prop::collection::vec(any::<bool>(), 0..9).prop_map(Value::from),
        prop::collection::vec(".{0,9}", 0..9).prop_map(Value::from),
    ]
}

/// A small file of random keys and two tensors.
fn written() -> impl Strategy<Value = Vec<u8>> {
    (prop::collection::btree_map("[a-z.]{1,12}", value(), 0..8), 1..9_u64).prop_map(|(entries, rows)| {
        let mut metadata = Metadata::default();
        entries.into_iter().for_each(|(key, value)| metadata.set(&key, value));
        let shapes =
            [("a".to_owned(), vec![32, rows], GgmlType::Q8_0), ("b".to_owned(), vec![rows], GgmlType::F32)];
        let tensors = Writer::lay_out(shapes).unwrap();
        let mut writer = Writer::new(Vec::new(), &metadata, tensors.clone()).unwrap();
        for tensor in tensors {
            writer.write(&vec![7; tensor.byte_len().unwrap() as usize]).unwrap();
        }
        let bytes = writer.finish().unwrap();
        assert_eq!(Header::parse(&bytes).unwrap().metadata, metadata);
        bytes
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read_and_what_is_cut_is_noticed(bytes in written(), cut in 0.0..1.0_f64) {
        let header = Header::parse(&bytes).unwrap();
        let last = header.tensors.last().unwrap();
        let needed = (header.data_start + last.offset + last.byte_len().unwrap()) as usize;
        let cut = (needed as f64 * cut) as usize;
        prop_assert!(Header::parse(&bytes[..cut]).is_err());
    }

    #[test]
    fn flipped_bits_never_panic(mut bytes in written(), flips in prop::collection::vec(any::<(u32, u8)>(), 1..6)) {
        for (place, bit) in flips {
            let place = place as usize % bytes.len();
            bytes[place] ^= 1 << (bit % 8);
        }
        let _ = Header::parse(&bytes);
    }

    #[test]
    fn noise_never_panics(noise in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = Header::parse(&[b"GGUF\x03\0\0\0".as_slice(), &noise].concat());
    }
}
