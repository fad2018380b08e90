//! What becomes of a request: its class, and what of the block and of the page is left over.

use crate::contestants::Contestant;
use allocator_core::Config;
use serde::Serialize;
use std::alloc::Layout;
use std::fmt::Write;

/// A request to be explained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Request {
    /// Bytes.
    pub size: usize,
    /// Alignment, a power of two.
    pub align: usize,
}

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Explained {
    /// The request.
    #[serde(flatten)]
    pub request: Request,
    /// Its class; `None` where it has slices or a mapping of its own.
    pub class: Option<Class>,
}

/// A class, for one request.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Class {
    /// Its index.
    pub index: usize,
    /// Bytes of a block.
    pub block_bytes: usize,
    /// The part of the block that the request leaves over, 0 to 1.
    pub waste: f64,
    /// Bytes of a page.
    pub page_bytes: usize,
    /// Blocks of a page.
    pub blocks_per_page: usize,
    /// Bytes of a page that no block covers.
    pub tail_bytes: usize,
    /// Blocks that a thread keeps in hand.
    pub cached_blocks: u32,
}

/// Everything that was asked.
#[derive(Debug, Serialize)]
pub struct Explanation {
    /// What kind of file this is: `allocator-lab explain`.
    pub format: &'static str,
    /// Raised when the meaning of any field changes.
    pub version: u32,
    /// Whose classes.
    pub allocator: &'static str,
    /// The attribute that declares it.
    pub declaration: String,
    /// In the order of the requests.
    pub requests: Vec<Explained>,
}

impl Request {
    /// Reads `SIZE` or `SIZE:ALIGN`; a size may end with `KiB`.
    ///
    /// # Errors
    /// What is wrong with it, in a line.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (size, align) = text.split_once(':').unwrap_or((text, "1"));
        let (number, unit) = match size.strip_suffix("KiB") {
            Some(number) => (number, 1024),
            None => (size, 1),
        };
        let size = number
            .parse()
            .ok()
            .and_then(|it: usize| it.checked_mul(unit));
        let size =
            size.ok_or_else(|| format!("'{text}' is no request, such as 24, 4KiB or 100:64"))?;
        match align.parse() {
            Ok(align) if usize::is_power_of_two(align) => {
                let layout = Layout::from_size_align(size, align);
                let too_large = |_| format!("'{text}' is more than any block can have");
                layout.map(|_| Self { size, align }).map_err(too_large)
            }
            _ => Err(format!("alignment '{align}' is not a power of two")),
        }
    }
}

impl Explained {
    fn of(config: &Config, request: Request) -> Self {
        let Request { size, align } = request;
        let serves = |class: &u32| {
            let bytes = *class as usize;
            bytes >= size && bytes.is_multiple_of(align)
        };
        let index = config.class_bytes.iter().position(serves);
        let class = index.map(|index| {
            let block_bytes = config.class_bytes[index] as usize;
            let page_bytes = config.page_bytes_for(block_bytes);
            Class {
                index,
                block_bytes,
                waste: 1.0 - size as f64 / block_bytes as f64,
                page_bytes,
                blocks_per_page: page_bytes / block_bytes,
                tail_bytes: page_bytes % block_bytes,
                cached_blocks: config.cache_blocks_for(block_bytes),
            }
        });
        Self { request, class }
    }
}

impl Explanation {
    /// What becomes of the requests; `None` where the classes are not known, as the system's.
    #[must_use]
    pub fn new(contestant: &Contestant, requests: &[Request]) -> Option<Self> {
        let config = contestant.config?;
        let requests = requests.iter();
        Some(Self {
            format: "allocator-lab explain",
            version: 1,
            allocator: contestant.name,
            declaration: config.to_string(),
            requests: requests
                .map(|request| Explained::of(config, *request))
                .collect(),
        })
    }

    /// As a table, at most 100 columns wide.
    #[must_use]
    pub fn render(&self) -> String {
        let mut text = format!(
            "{:>10} {:>6} {:>6} {:>8} {:>7} {:>9} {:>7} {:>7} {:>7}\n",
            self.allocator, "align", "class", "block", "waste", "page", "blocks", "tail", "in hand"
        );
        for Explained { request, class } in &self.requests {
            let Request { size, align } = request;
            // Writing to a `String` cannot fail.
            let _ = match class {
                Some(class) => writeln!(
                    text,
                    "{size:>10} {align:>6} {:>6} {:>8} {:>6.1}% {:>5} KiB {:>7} {:>7} {:>7}",
                    class.index,
                    class.block_bytes,
                    class.waste * 100.0,
                    class.page_bytes >> 10,
                    class.blocks_per_page,
                    class.tail_bytes,
                    class.cached_blocks
                ),
                None => writeln!(
                    text,
                    "{size:>10} {align:>6}      – of no class: slices of 64 KiB, or a mapping of its own"
                ),
            };
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contestants;

    #[test]
    fn requests_are_read_and_mistakes_told() {
        let read = |text| Request::parse(text);
        assert_eq!(read("24"), Ok(Request { size: 24, align: 1 }));
        assert_eq!(
            read("4KiB:64"),
            Ok(Request {
                size: 4096,
                align: 64
            })
        );
        for (text, part) in [
            ("", "is no request"),
            ("-1", "is no request"),
            ("24KB", "is no request"),
            ("99999999999999999KiB", "is no request"),
            ("24:3", "alignment '3'"),
            ("24:", "alignment ''"),
        ] {
            let mistake = read(text).unwrap_err();
            assert!(
                mistake.contains(part) && !mistake.contains('\n'),
                "{mistake}"
            );
        }
    }

    #[test]
    fn a_request_gets_the_class_that_the_allocator_gives_it() {
        let default = contestants::by_name("default").unwrap();
        for (size, align) in [
            (1, 1),
            (24, 8),
            (24, 64),
            (100, 1),
            (4368, 16),
            (20_000, 4096),
        ] {
            let request = Request { size, align };
            let explained = Explanation::new(default, &[request]).unwrap();
            let class = explained.requests[0].class.unwrap();
            let layout = std::alloc::Layout::from_size_align(size, align).unwrap();
            let usable = contestants::usable_size_of_default(layout);
            assert_eq!(class.block_bytes, usable, "{request:?}");
            assert!(
                class.blocks_per_page * class.block_bytes + class.tail_bytes == class.page_bytes
            );
        }
    }

    #[test]
    fn what_is_of_no_class_says_so_and_lines_are_short() {
        let default = contestants::by_name("default").unwrap();
        let requests = ["24", "100000", "24:65536"].map(|text| Request::parse(text).unwrap());
        let text = Explanation::new(default, &requests).unwrap().render();
        assert_eq!(text.lines().count(), 4);
        assert_eq!(text.matches("of no class").count(), 2, "{text}");
        assert!(
            text.lines().all(|line| line.chars().count() <= 100),
            "{text}"
        );
        let system = contestants::by_name("System").unwrap();
        assert!(Explanation::new(system, &requests).is_none());
    }
}
