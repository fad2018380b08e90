//! From options as written to a [`Spec`]: fills in the preset and compares the
//! options with each other. Reports every contradiction, emits nothing.

use std::path::Path;

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use syn::{LitStr, parse_quote};

use crate::class_file;
use crate::classes;
use crate::errors::Errors;
use crate::number::{Amount, Unit};
use crate::options::{CANARY_BYTES, DIRECT_MAX, LARGE_FACTOR, MALLOC_ALIGN, PAGE, SIGNED_MIN};
use crate::presets::{self, Hardening, Preset};
use crate::spec::{Bounded, Extend, Sizes, Spec, cache_bound};
use crate::words::{ExportWord, InlineWord, PresetWord, StatsWord, ThpWord, TlsWord};
use crate::written::{self, Field, OnCorruption, Options, Purge, Written};

/// The specification that the options make, if they make one; `root` is where
/// class files are looked for.
pub(crate) fn spec(options: Options, root: &Path, errors: &mut Errors) -> Option<Spec> {
    let preset = options
        .preset
        .or(PresetWord::Balanced)
        .map(PresetWord::choices);
    // A misspelt preset is reported; the rest is then judged by the default.
    let preset = preset.unwrap_or(PresetWord::Balanced.choices());
    let mut validate = Validate {
        preset,
        page: options.page.or(preset.page),
        root,
        errors,
    };

    let hardening = validate.hardening(&options);
    let classes = validate.classes(&options.size_classes);
    let small_extend = validate.small_extend(options.small_extend);
    let smallest = validate.end(&classes, |classes| classes.first());
    let largest = validate.end(&classes, |classes| classes.last());
    let cache = validate.cache(&options.cache, smallest);
    let direct_max = validate.direct_max(&options.direct_max, largest);
    validate.limit(&options.limit, largest);
    let export = options.export.or(ExportWord::Off);
    let tls = validate.tls(&options.tls, export);
    validate.export(&options.export, &classes);

    let (sizes, mut classes) = classes?;
    if hardening.is_some_and(|hardening| hardening.links) {
        validate.leave_out(&mut classes, SIGNED_MIN);
    } else if hardening.is_some_and(|hardening| hardening.canaries) {
        validate.canaries(&classes);
    }
    let spec = Spec {
        sizes,
        classes,
        small_extend: small_extend?,
        retire_small: options.retire_small.or(preset.retire_small)?,
        retire_large: options.retire_large.or(preset.retire_large)?,
        local_first: options.local_first.or(preset.local_first)?,
        skip_collect: options.skip_collect.or(preset.skip_collect)?,
        cache: cache?,
        direct_max: direct_max?,
        inline: options.inline.or(InlineWord::Hot)?,
        page: validate.page?,
        purge: options.purge.or(Purge::After(preset.purge_after))?,
        thp: options.thp.or(ThpWord::Default)?,
        hardening: hardening?,
        on_corruption: options.on_corruption.or(OnCorruption::Abort)?,
        stats: options.stats.or(StatsWord::Off)?,
        limit: options.limit.written().cloned(),
        tls: tls?,
        export: export?,
        core: options.core.or(parse_quote!(::allocator_core))?,
    };
    errors.is_empty().then_some(spec)
}

/// What one comparison needs to know of the others.
struct Validate<'a> {
    preset: Preset,
    /// Bytes of a page; `None` when a mistake was reported.
    page: Option<u64>,
    root: &'a Path,
    errors: &'a mut Errors,
}

/// How classes were asked for, and which they are.
type Classes = (Sizes, Vec<Written<Amount>>);

impl Validate<'_> {
    /// The size classes.
    fn classes(&mut self, field: &Field<written::Sizes>) -> Option<Classes> {
        let preset = self.preset;
        let open = Field::Open;
        let (quantum, per_doubling, max) = match field {
            Field::Wrong => return None,
            Field::Open if preset.standard_classes => return Some(standard()),
            Field::Open => (&open, &open, &open),
            Field::Is(Written { value, tokens }) => match value {
                written::Sizes::Standard => return Some(standard()),
                written::Sizes::Geometric {
                    quantum,
                    per_doubling,
                    max,
                } => (quantum, per_doubling, max),
                written::Sizes::List(items) => return self.list(items, tokens),
                written::Sizes::File(name) => return self.file(name),
            },
        };
        let written_max = max.written().map(|max| max.tokens.clone());
        let quantum = quantum.or(preset.quantum)?;
        let per_doubling = per_doubling.or(preset.per_doubling)?;
        let max = max.or(preset.max)?;
        self.series(quantum, per_doubling, max, written_max)
    }

    /// `geometric(…)`
    fn series(
        &mut self,
        quantum: u64,
        per_doubling: u64,
        max: u64,
        tokens: Option<TokenStream>,
    ) -> Option<Classes> {
        let show = |bytes| Unit::Bytes.show(bytes);
        if let Some(page) = self.page
            && max > page
        {
            let (max, page, grown) = (show(max), show(page), show(max.next_power_of_two()));
            let message =
                format!("`max` {max} is over the page; write at most {page}, or `page = {grown}`");
            self.errors.at(tokens, message);
            return None;
        }
        match classes::geometric(quantum, per_doubling, max) {
            Ok(classes) => {
                let classes = classes.into_iter().map(known).collect();
                Some((
                    Sizes::Geometric {
                        quantum,
                        per_doubling,
                        max,
                    },
                    classes,
                ))
            }
            Err(neighbours) => {
                let [below, above] = neighbours.map(show);
                let meant = match below == above {
                    true => format!("write at least {below}"),
                    false => format!("write {below} or {above}"),
                };
                let max = show(max);
                let message = format!("`max` {max} is not a size that the series reaches; {meant}");
                self.errors.at(tokens, message);
                None
            }
        }
    }

    /// `[…]`
    fn list(&mut self, items: &[Option<Written<Amount>>], tokens: &TokenStream) -> Option<Classes> {
        if items.is_empty() {
            self.errors
                .at(tokens, "no size class; write at least one, such as `[64]`");
            return None;
        }
        let bytes: Vec<_> = items
            .iter()
            .map(|item| item.as_ref().and_then(bytes))
            .collect();
        let mistakes = classes::mistakes(&bytes, self.page.unwrap_or(PAGE.max));
        let sound = mistakes.is_empty();
        for (index, mistake) in mistakes {
            // An item that cannot be read has its own mistake, but it still counts.
            match &items[index] {
                Some(item) => self.errors.at(&item.tokens, mistake),
                None => self.errors.at(tokens, mistake),
            }
        }
        let classes: Option<Vec<_>> = items.iter().cloned().collect();
        sound.then_some((Sizes::List { file: None }, classes?))
    }

    /// `file("…")`
    fn file(&mut self, name: &LitStr) -> Option<Classes> {
        let file = match class_file::read(self.root, &name.value()) {
            Ok(file) => file,
            Err(mistake) => {
                self.errors.at(name, mistake);
                return None;
            }
        };
        let bytes: Vec<_> = file.items.iter().map(|item| item.bytes).collect();
        let mut mistakes = file.mistakes;
        for (index, mistake) in classes::mistakes(&bytes, self.page.unwrap_or(PAGE.max)) {
            mistakes.push((file.items[index].line, mistake));
        }
        if file.items.is_empty() {
            let message = format!("`{}` has no size class; write at least one", name.value());
            self.errors.at(name, message);
            return None;
        }
        mistakes.sort_by_key(|(line, _)| *line);
        let sound = mistakes.is_empty();
        for (line, mistake) in mistakes {
            self.errors
                .at(name, format!("{}:{line}: {mistake}", name.value()));
        }
        let classes: Option<Vec<_>> = bytes.into_iter().map(|bytes| bytes.map(known)).collect();
        sound.then_some((
            Sizes::List {
                file: Some(file.path),
            },
            classes?,
        ))
    }

    /// The first or last class: `None` when mistakes were reported, otherwise
    /// its bytes if they are known here.
    fn end(
        &self,
        classes: &Option<Classes>,
        end: fn(&[Written<Amount>]) -> Option<&Written<Amount>>,
    ) -> Option<Option<u64>> {
        classes
            .as_ref()
            .and_then(|(_, classes)| end(classes))
            .map(bytes)
    }

    /// `small_extend = …`
    fn small_extend(&mut self, field: Field<written::Extend>) -> Option<Extend> {
        match field {
            Field::Wrong => None,
            Field::Open => Some(match self.preset.small_extend {
                presets::Extend::Batch(bytes) => Extend::Batch(known(bytes)),
                presets::Extend::HalfRemaining => Extend::HalfRemaining,
                presets::Extend::All => Extend::All,
            }),
            Field::Is(extend) => match extend.value {
                written::Extend::HalfRemaining => Some(Extend::HalfRemaining),
                written::Extend::All => Some(Extend::All),
                written::Extend::Batch(batch) => {
                    if let (Amount::Known(bytes), Some(page)) = (&batch.value, self.page)
                        && *bytes > page
                    {
                        let (bytes, page) = (Unit::Bytes.show(*bytes), Unit::Bytes.show(page));
                        let message = format!(
                            "a batch of {bytes} is over the page; write at most {page}, or `all`"
                        );
                        self.errors.at(&batch.tokens, message);
                        return None;
                    }
                    Some(Extend::Batch(batch))
                }
            },
        }
    }

    /// `cache = …`: no more blocks than the smallest class has in a page.
    fn cache(&mut self, field: &Field<u64>, smallest: Option<Option<u64>>) -> Option<Bounded> {
        let value = field.or(self.preset.cache)?;
        let bound = smallest?
            .zip(self.page)
            .map(|(class, page)| cache_bound(class, page));
        self.bounded(field, value, bound, |value, bound| {
            format!(
                "a cache of {value} blocks is too large for its bytes: of the smallest class, \
                 {bound} fill a page; write at most {bound}, or a larger `page`"
            )
        })
    }

    /// `direct_max = …`: no more than the largest class.
    fn direct_max(&mut self, field: &Field<u64>, largest: Option<Option<u64>>) -> Option<Bounded> {
        let value = field.or(self.preset.direct_max)?;
        let bound = largest?.map(|class| class.min(DIRECT_MAX.max));
        self.bounded(field, value, bound, |value, bound| {
            let (value, bound) = (Unit::Bytes.show(value), Unit::Bytes.show(bound));
            format!("`direct_max` {value} is above the largest class; write at most {bound}")
        })
    }

    /// A number within its bound: the user's must be, a preset's gives way.
    fn bounded(
        &mut self,
        field: &Field<u64>,
        value: u64,
        bound: Option<u64>,
        mistake: fn(u64, u64) -> String,
    ) -> Option<Bounded> {
        let written = field.written();
        match (written, bound) {
            (Some(written), Some(bound)) if value > bound => {
                self.errors.at(&written.tokens, mistake(value, bound));
                None
            }
            (Some(written), _) => Some(Bounded {
                value,
                tokens: Some(written.tokens.clone()),
            }),
            (None, bound) => Some(Bounded {
                value: value.min(bound.unwrap_or(value)),
                tokens: None,
            }),
        }
    }

    /// `tls = …`: the word that is reached without a call is that of the process's `malloc`.
    fn tls(&mut self, field: &Field<TlsWord>, export: Option<ExportWord>) -> Option<TlsWord> {
        let export = export?;
        if let Some(written) = field.written()
            && (written.value, export) == (TlsWord::InitialExec, ExportWord::Off)
        {
            let message = "`initial_exec` needs `export = malloc`: a process has one such word, that \
                           of its `malloc`; write `pointer`";
            self.errors.at(&written.tokens, message);
            return None;
        }
        field.or(match export {
            ExportWord::Off => TlsWord::Inline,
            ExportWord::Malloc => TlsWord::InitialExec,
        })
    }

    /// `export = malloc`: every size up to the largest class has a class that is aligned for C.
    fn export(&mut self, field: &Field<ExportWord>, classes: &Option<Classes>) {
        if let Some(written) = field.written()
            && written.value == ExportWord::Malloc
            && let Some(Some(largest)) = self.end(classes, |classes| classes.last())
            && !largest.is_multiple_of(MALLOC_ALIGN)
        {
            let above = largest.next_multiple_of(MALLOC_ALIGN);
            let instead = match largest - largest % MALLOC_ALIGN {
                0 => format!("{above}"),
                below => format!("{below} or {above}"),
            };
            let message = format!(
                "`malloc` needs a largest class that is a multiple of {MALLOC_ALIGN}, as C aligns \
                 every block; {largest} is none: write {instead}"
            );
            self.errors.at(&written.tokens, message);
        }
    }

    /// Leaves classes under `least` bytes out, whose requests the next class then serves; one that only
    /// the compiler knows is held to it there.
    fn leave_out(&mut self, classes: &mut Vec<Written<Amount>>, least: u64) {
        let tokens = classes.last().map(|class| class.tokens.clone());
        classes.retain(|class| bytes(class).is_none_or(|bytes| bytes >= least));
        if classes.is_empty() {
            let message = format!(
                "`links` needs a class of {least} bytes at least, as a free block holds its link and \
                 a signature; add one"
            );
            self.errors.at(tokens, message);
        }
    }

    /// `canaries`: a class has room for a byte and a canary.
    fn canaries(&mut self, classes: &[Written<Amount>]) {
        if let Some(last) = classes.last()
            && bytes(last).is_some_and(|bytes| bytes <= CANARY_BYTES)
        {
            let message = format!(
                "`canaries` needs a class over {CANARY_BYTES} bytes, as so many stand behind each block; add one"
            );
            self.errors.at(&last.tokens, message);
        }
    }

    /// `hardening…`: the level's mechanisms but for those that are named.
    fn hardening(&mut self, options: &Options) -> Option<Hardening> {
        let written = &options.hardening;
        let level = written.level.or(self.preset.hardening)?.mechanisms();
        Some(Hardening {
            links: written.links.or(level.links)?,
            pages: written.pages.or(level.pages)?,
            headers: written.headers.or(level.headers)?,
            ends: written.ends.or(level.ends)?,
            guards: written.guards.or(level.guards)?,
            isolate: written.isolate.or(level.isolate)?,
            canaries: written.canaries.or(level.canaries)?,
            zero: written.zero.or(level.zero)?,
            shuffle: written.shuffle.or(level.shuffle)?,
            quarantine: written.quarantine.or(level.quarantine)?,
            sample: written.sample.or(level.sample)?,
        })
    }

    /// `limit = …`: room for one page of the largest class at least.
    fn limit(&mut self, field: &Field<Amount>, largest: Option<Option<u64>>) {
        if let Some(limit) = field.written()
            && let (Amount::Known(bytes), Some(page)) = (&limit.value, self.page)
            && let Some(Some(class)) = largest
            && *bytes < crate::spec::page_of(class, page)
        {
            let least = Unit::Bytes.show(crate::spec::page_of(class, page));
            let message = format!(
                "a limit of {} has no room for one page of the largest class; write at least \
                 {least} ({LARGE_FACTOR} pages), or a smaller `page`",
                Unit::Bytes.show(*bytes),
            );
            self.errors.at(&limit.tokens, message);
        }
    }
}

/// A number that the user did not write.
fn known(bytes: u64) -> Written<Amount> {
    let tokens = proc_macro2::Literal::u64_unsuffixed(bytes);
    Written {
        value: Amount::Known(bytes),
        tokens: quote_spanned!(Span::call_site()=> #tokens),
    }
}

/// `standard`
fn standard() -> Classes {
    let classes = classes::STANDARD.iter().copied().map(known).collect();
    (Sizes::Standard, classes)
}

/// The bytes of a class, if they are known here.
fn bytes(class: &Written<Amount>) -> Option<u64> {
    match class.value {
        Amount::Known(bytes) => Some(bytes),
        Amount::Constant(_) => None,
    }
}
