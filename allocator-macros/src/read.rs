//! From syntax to options: each argument is matched with its row of the table
//! and judged by itself.

use quote::ToTokens;
use syn::{Expr, Lit, Path, parse_quote};

use crate::args::{self, Arg, Piece, Value};
use crate::errors::Errors;
use crate::messages;
use crate::number::{self, Amount};
use crate::options::{
    self, FastPathPart, GeometricPart, HardeningPart, Key, Number, RetirePart, Row,
};
use crate::words::{CorruptionWord, ExtendWord, OffWord, PurgeWord, SizesWord, Switch, Words};
use crate::written::{Extend, Field, OnCorruption, Options, Purge, Sizes, Written};

/// Reads all options and reports what is wrong with each.
pub(crate) fn options(args: &[Arg], errors: &mut Errors) -> Options {
    let mut read = Read { errors };
    let mut options = Options::default();
    let mut seen = Vec::new();
    for arg in args {
        if let Some(row) = read.row(options::OPTIONS, arg, &mut seen, None) {
            read.option(row, arg, &mut options);
        }
    }
    options
}

/// Where mistakes go while one attribute is read.
struct Read<'e> {
    errors: &'e mut Errors,
}

impl Read<'_> {
    /// Reads one option into its field.
    fn option(&mut self, row: &Row<Key>, arg: &Arg, options: &mut Options) {
        match row.key {
            Key::Preset => options.preset = self.word(row, arg),
            Key::Thp => options.thp = self.word(row, arg),
            Key::Hardening => self.hardening(row, arg, options),
            Key::OnCorruption => {
                options.on_corruption = self.field(row, arg, Read::on_corruption);
            }
            Key::Stats => options.stats = self.word(row, arg),
            Key::Tls => options.tls = self.word(row, arg),
            Key::Export => options.export = self.word(row, arg),
            Key::Page => options.page = self.number(row, arg),
            Key::Limit => options.limit = self.limit(row, arg),
            Key::Purge => options.purge = self.field(row, arg, Read::purge),
            Key::SmallExtend => options.small_extend = self.field(row, arg, Read::extend),
            Key::SizeClasses => options.size_classes = self.field(row, arg, Read::sizes),
            Key::Crate => options.core = self.field(row, arg, Read::path),
            Key::RetireCycles => self.retire_cycles(row, arg, options),
            Key::FastPath => self.fast_path(row, arg, options),
        }
    }

    /// The row of an option, or of a part of a group; unknown and repeated names are reported.
    fn row<K: Copy + PartialEq>(
        &mut self,
        rows: &'static [Row<K>],
        arg: &Arg,
        seen: &mut Vec<K>,
        group: Option<&str>,
    ) -> Option<&'static Row<K>> {
        let name = arg.key.to_string();
        let Some(row) = rows.iter().find(|row| row.name == name) else {
            self.errors
                .at(&arg.key, messages::unknown_name(arg, rows, group));
            return None;
        };
        if seen.contains(&row.key) {
            self.errors.at(&arg.key, messages::repeated(&name, group));
            return None;
        }
        seen.push(row.key);
        Some(row)
    }

    /// Reads `key = value` with the given reader of values.
    fn field<K: Copy, T>(
        &mut self,
        row: &Row<K>,
        arg: &Arg,
        read: fn(&mut Self, &Row<K>, &Expr) -> Option<T>,
    ) -> Field<T> {
        let Some(expr) = self.value(row, arg) else {
            return Field::Wrong;
        };
        Field::from_read(read(self, row, expr), expr)
    }

    /// The value of `key = value`; the other shapes are reported.
    fn value<'a, K: Copy>(&mut self, row: &Row<K>, arg: &'a Arg) -> Option<&'a Expr> {
        match &arg.value {
            Value::Is(expr) => Some(args::bare(expr)),
            Value::Absent => {
                self.errors.at(&arg.key, messages::no_value(row));
                None
            }
            Value::Group(pieces) => {
                self.errors.at(&arg.key, messages::not_a_group(row, pieces));
                None
            }
        }
    }

    /// Reads an option that is one of some words, none with arguments.
    fn word<K: Copy, T: Words>(&mut self, row: &Row<K>, arg: &Arg) -> Field<T> {
        self.field(row, arg, |read, row, expr| {
            Some(read.choice::<K, T>(row, expr)?.0)
        })
    }

    /// Reads an option that is a literal number.
    fn number<K: Copy>(&mut self, row: &Row<K>, arg: &Arg) -> Field<u64> {
        self.field(row, arg, Read::literal)
    }

    /// The word that an expression is, with its arguments.
    fn choice<K: Copy, T: Words>(
        &mut self,
        row: &Row<K>,
        expr: &Expr,
    ) -> Option<(T, Option<Vec<Piece>>)> {
        let Some((name, arguments)) = args::word(expr) else {
            let message = messages::not_a_word::<K, T>(row, expr);
            self.errors.at(expr, message);
            return None;
        };
        let text = name.to_string();
        let Some(word) = T::WORDS.iter().find(|word| word.name == text) else {
            self.errors
                .at(name, messages::unknown_word::<K, T>(name, row));
            return None;
        };
        match (word.args, &arguments) {
            ("", Some(_)) => {
                self.errors.at(expr, messages::no_arguments(&text));
                None
            }
            (args, None) if !args.is_empty() => {
                self.errors.at(name, messages::wants_arguments(&text, args));
                None
            }
            _ => Some((word.value, arguments)),
        }
    }

    /// The number that an expression is, within the bounds of its row.
    fn amount<K: Copy>(&mut self, row: &Row<K>, expr: &Expr) -> Option<Amount> {
        let bounds = row.number.as_ref()?;
        self.bounded(row.name, bounds, &row.allowed(), expr)
    }

    /// `limit = 512MiB`, `limit = BUDGET`, `limit = off`
    fn limit(&mut self, row: &Row<Key>, arg: &Arg) -> Field<Amount> {
        if let Value::Is(expr) = &arg.value
            && let Some((name, None)) = args::word(expr)
            && OffWord::WORDS.iter().any(|word| name == word.name)
        {
            return Field::Open;
        }
        self.field(row, arg, Read::amount)
    }

    /// As [`Read::amount`], for what the macro must know.
    fn literal<K: Copy>(&mut self, row: &Row<K>, expr: &Expr) -> Option<u64> {
        self.known(row.name, row.number.as_ref()?, &row.allowed(), expr)
    }

    /// The number that an expression is, within bounds; `allowed` says what may be written.
    fn bounded(
        &mut self,
        name: &str,
        bounds: &Number,
        allowed: &str,
        expr: &Expr,
    ) -> Option<Amount> {
        let must = || format!("`{name}` must be {allowed}");
        let misplaced = args::word(expr).and_then(|(word, _)| messages::misplaced(word, name));
        let mistake = match number::amount(expr, bounds.unit) {
            Ok(Amount::Known(value)) if !bounds.allows(value) => {
                format!("{}, not {}", must(), bounds.unit.show(value))
            }
            Ok(Amount::Constant(_)) if misplaced.is_some() => {
                format!("{}; {}", misplaced.unwrap_or_default(), must())
            }
            Ok(Amount::Constant(_)) if !bounds.constant => {
                format!(
                    "{}, written as a literal: the macro needs to know it",
                    must()
                )
            }
            Ok(amount) => return Some(amount),
            Err(mistake) => mistake.or_rule(must),
        };
        self.errors.at(expr, mistake);
        None
    }

    /// As [`Read::bounded`], for what the macro must know.
    fn known(&mut self, name: &str, bounds: &Number, allowed: &str, expr: &Expr) -> Option<u64> {
        match self.bounded(name, bounds, allowed, expr)? {
            Amount::Known(value) => Some(value),
            Amount::Constant(_) => None,
        }
    }

    /// `purge = …`
    fn purge(&mut self, row: &Row<Key>, expr: &Expr) -> Option<Purge> {
        let (word, arguments) = self.choice(row, expr)?;
        match word {
            PurgeWord::Never => Some(Purge::Never),
            PurgeWord::Now => Some(Purge::Now),
            PurgeWord::After => {
                let delay = self.single("after", "10ms", expr, arguments)?;
                let bounds = row.number.as_ref()?;
                self.known("after", bounds, &bounds.allowed(), &delay)
                    .map(Purge::After)
            }
        }
    }

    /// `small_extend = …`
    fn extend(&mut self, row: &Row<Key>, expr: &Expr) -> Option<Extend> {
        let (word, arguments) = self.choice(row, expr)?;
        match word {
            ExtendWord::HalfRemaining => Some(Extend::HalfRemaining),
            ExtendWord::All => Some(Extend::All),
            ExtendWord::Batch => {
                let bytes = self.single("batch", "16KiB", expr, arguments)?;
                let bounds = row.number.as_ref()?;
                let value = self.bounded("batch", bounds, &bounds.allowed(), &bytes)?;
                Some(Extend::Batch(Written {
                    value,
                    tokens: bytes.into_token_stream(),
                }))
            }
        }
    }

    /// `size_classes = …`
    fn sizes(&mut self, row: &Row<Key>, expr: &Expr) -> Option<Sizes> {
        if let Expr::Array(list) = expr {
            return Some(Sizes::List(
                list.elems.iter().map(|item| self.class(item)).collect(),
            ));
        }
        if let Some(mistake) = messages::name_of_a_list(expr) {
            self.errors.at(expr, mistake);
            return None;
        }
        let (word, arguments) = self.choice(row, expr)?;
        match word {
            SizesWord::Standard => Some(Sizes::Standard),
            SizesWord::Geometric => Some(self.geometric(&arguments.unwrap_or_default())),
            SizesWord::File => {
                let path = self.single("file", "\"app.classes\"", expr, arguments)?;
                match args::bare(&path) {
                    Expr::Lit(syn::ExprLit {
                        lit: Lit::Str(path),
                        ..
                    }) => Some(Sizes::File(path.clone())),
                    _ => {
                        let message = "`file` takes a path from the crate's root, in quotes";
                        self.errors
                            .at(path, format!("{message}: `file(\"app.classes\")`"));
                        None
                    }
                }
            }
        }
    }

    /// One item of a list of classes; its bounds are judged with its neighbours.
    fn class(&mut self, expr: &Expr) -> Option<Written<Amount>> {
        match number::amount(expr, options::CLASS.unit) {
            Ok(value) => Some(Written {
                value,
                tokens: expr.to_token_stream(),
            }),
            Err(mistake) => {
                let rule = || "a class is a size in bytes, a multiple of 8".to_owned();
                self.errors.at(expr, mistake.or_rule(rule));
                None
            }
        }
    }

    /// `geometric(…)`
    fn geometric(&mut self, pieces: &[Piece]) -> Sizes {
        let (mut quantum, mut per_doubling, mut max) = Default::default();
        self.parts(
            "geometric",
            options::GEOMETRIC,
            pieces,
            |read, row, arg| match row.key {
                GeometricPart::Quantum => quantum = read.number(row, arg),
                GeometricPart::PerDoubling => per_doubling = read.number(row, arg),
                GeometricPart::Max => max = read.number(row, arg),
            },
        );
        Sizes::Geometric {
            quantum,
            per_doubling,
            max,
        }
    }

    /// `retire_cycles = 48`, `retire_cycles(small = 48, large = 16)`
    fn retire_cycles(&mut self, row: &Row<Key>, arg: &Arg, options: &mut Options) {
        if let Value::Is(expr) = &arg.value
            && !matches!(args::bare(expr), Expr::Tuple(_) | Expr::Paren(_))
        {
            let cycles: Field<u64> = self.number(row, arg);
            options.retire_small = cycles.clone();
            options.retire_large = cycles;
            return;
        }
        let Some(pieces) = self.group(row, arg) else {
            options.retire_small = Field::Wrong;
            options.retire_large = Field::Wrong;
            return;
        };
        if let [Piece::Bare(both), named @ ..] = pieces.as_slice() {
            self.errors
                .at(both, messages::retire_both(both, named.is_empty()));
            return;
        }
        self.parts(
            row.name,
            options::RETIRE_CYCLES,
            &pieces,
            |read, row, arg| match row.key {
                RetirePart::Small => options.retire_small = read.number(row, arg),
                RetirePart::Large => options.retire_large = read.number(row, arg),
            },
        );
    }

    /// `fast_path(…)`
    fn fast_path(&mut self, row: &Row<Key>, arg: &Arg, options: &mut Options) {
        let Some(pieces) = self.group(row, arg) else {
            return;
        };
        self.parts(
            row.name,
            options::FAST_PATH,
            &pieces,
            |read, row, arg| match row.key {
                FastPathPart::LocalFirst => options.local_first = read.flag(row, arg),
                FastPathPart::SkipCollect => options.skip_collect = read.flag(row, arg),
                FastPathPart::Cache => options.cache = read.field(row, arg, Read::or_off),
                FastPathPart::DirectMax => options.direct_max = read.number(row, arg),
                FastPathPart::Inline => options.inline = read.word(row, arg),
            },
        );
    }

    /// `local_first`, `local_first = off`
    fn flag<K: Copy>(&mut self, row: &Row<K>, arg: &Arg) -> Field<bool> {
        if matches!(arg.value, Value::Absent) {
            return Field::from_read(Some(true), &arg.key);
        }
        self.field(row, arg, |read, row, expr| {
            Some(read.choice::<_, Switch>(row, expr)?.0 == Switch::On)
        })
    }

    /// `cache = 64`, `cache = off`
    fn or_off<K: Copy>(&mut self, row: &Row<K>, expr: &Expr) -> Option<u64> {
        match args::word(expr) {
            Some(_) => {
                let (OffWord::Off, _) = self.choice(row, expr)?;
                Some(0)
            }
            None => self.literal(row, expr),
        }
    }

    /// `hardening = checked`, `hardening(level = checked, zero)`
    fn hardening(&mut self, row: &Row<Key>, arg: &Arg, options: &mut Options) {
        let pieces = match &arg.value {
            Value::Group(pieces) => Some(pieces.clone()),
            Value::Is(expr) => args::group(expr),
            Value::Absent => None,
        };
        let options = &mut options.hardening;
        let Some(pieces) = pieces else {
            options.level = self.word(row, arg);
            return;
        };
        self.parts(
            row.name,
            options::HARDENING,
            &pieces,
            |read, row, arg| match row.key {
                HardeningPart::Level => options.level = read.word(row, arg),
                HardeningPart::Links => options.links = read.flag(row, arg),
                HardeningPart::Pages => options.pages = read.flag(row, arg),
                HardeningPart::Headers => options.headers = read.flag(row, arg),
                HardeningPart::Ends => options.ends = read.flag(row, arg),
                HardeningPart::Guards => options.guards = read.flag(row, arg),
                HardeningPart::Isolate => options.isolate = read.flag(row, arg),
                HardeningPart::Canaries => options.canaries = read.flag(row, arg),
                HardeningPart::Zero => options.zero = read.flag(row, arg),
                HardeningPart::Shuffle => options.shuffle = read.flag(row, arg),
                HardeningPart::Quarantine => {
                    options.quarantine = read.field(row, arg, Read::or_off);
                }
                HardeningPart::Sample => options.sample = read.field(row, arg, Read::or_off),
            },
        );
    }

    /// `on_corruption = …`
    fn on_corruption(&mut self, row: &Row<Key>, expr: &Expr) -> Option<OnCorruption> {
        let (word, arguments) = self.choice(row, expr)?;
        match word {
            CorruptionWord::Abort => Some(OnCorruption::Abort),
            CorruptionWord::Trap => Some(OnCorruption::Trap),
            CorruptionWord::Hook => {
                let path = self.single("hook", "crate::on_corruption", expr, arguments)?;
                match args::bare(&path) {
                    Expr::Path(path) if path.qself.is_none() => {
                        Some(OnCorruption::Hook(path.path.clone()))
                    }
                    _ => {
                        let message = "`hook` takes the path of a function";
                        self.errors
                            .at(path, format!("{message}: `hook(crate::on_corruption)`"));
                        None
                    }
                }
            }
        }
    }

    /// `crate = ::path::to::allocator_core`
    fn path(&mut self, row: &Row<Key>, expr: &Expr) -> Option<Path> {
        match expr {
            Expr::Path(path) if path.qself.is_none() => Some(path.path.clone()),
            _ => {
                let message = format!("`crate` takes a path; write `{}`", row.example());
                self.errors.at(expr, message);
                None
            }
        }
    }

    /// The items of `key(…)` or `key = (…)`; the other shapes are reported.
    fn group<K: Copy>(&mut self, row: &Row<K>, arg: &Arg) -> Option<Vec<Piece>> {
        let pieces = match &arg.value {
            Value::Group(pieces) => Some(pieces.clone()),
            Value::Is(expr) => args::group(expr),
            Value::Absent => None,
        };
        if pieces.is_none() {
            let tokens = match &arg.value {
                Value::Is(expr) => expr.to_token_stream(),
                Value::Absent | Value::Group(_) => arg.key.to_token_stream(),
            };
            self.errors.at(tokens, messages::not_without_group(row));
        }
        pieces
    }

    /// Reads the named parts of a group, each once.
    fn parts<K: Copy + PartialEq>(
        &mut self,
        group: &str,
        rows: &'static [Row<K>],
        pieces: &[Piece],
        mut read: impl FnMut(&mut Self, &Row<K>, &Arg),
    ) {
        let mut seen = Vec::new();
        for piece in pieces {
            match piece {
                Piece::Named(arg) => {
                    if let Some(row) = self.row(rows, arg, &mut seen, Some(group)) {
                        read(self, row, arg);
                    }
                }
                Piece::Bare(expr) => self.errors.at(expr, messages::no_name(rows, group)),
            }
        }
    }

    /// The only argument of `word(…)`.
    fn single(
        &mut self,
        word: &str,
        example: &str,
        expr: &Expr,
        arguments: Option<Vec<Piece>>,
    ) -> Option<Expr> {
        match arguments.unwrap_or_default().as_slice() {
            [Piece::Bare(only)] => Some(only.clone()),
            // A constant's name alone.
            [
                Piece::Named(Arg {
                    key,
                    value: Value::Absent,
                }),
            ] => Some(parse_quote!(#key)),
            _ => {
                let message = format!("`{word}` takes one argument; write `{word}({example})`");
                self.errors.at(expr, message);
                None
            }
        }
    }
}
