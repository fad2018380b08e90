//! The house rules that neither the compiler nor clippy looks after: which
//! layer may know which, how long a file may be, and that the README's table
//! of options is the macro's.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The folders of `allocator-core/src`, each with those that it may import from beside itself.
const CORE_LAYERS: [(&str, &[&str]); 7] = [
    ("base", &[]),
    ("os", &["base"]),
    ("config", &["base"]),
    ("mem", &["base", "os", "config"]),
    ("heap", &["base", "os", "config", "mem"]),
    ("global", &["base", "os", "config", "mem", "heap"]),
    ("c_face", &["base", "os", "config", "mem", "heap", "global"]),
];

/// The steps of the macro: none may know a later one.
const MACRO_STEPS: [&str; 4] = ["args", "read", "validate", "expand"];

/// Most lines of a file.
const LINES_MAX: usize = 600;

/// An example has fewer lines than this.
const EXAMPLE_LINES: usize = 60;

#[test]
fn the_layers_of_the_core_import_downwards_only() {
    let source = root().join("allocator-core/src");
    let mut layers_seen = Vec::new();
    for path in rust_files(&source) {
        let inside = path.strip_prefix(&source).expect("below the source folder");
        let names: Vec<_> = inside.iter().map(|name| name.to_string_lossy()).collect();
        let [folder, _, ..] = &names[..] else {
            assert_eq!(names, ["lib.rs"], "a file outside of every layer");
            continue;
        };
        let layer = CORE_LAYERS.iter().find(|layer| layer.0 == folder);
        let (layer, below) = layer.unwrap_or_else(|| panic!("`{folder}` is not a known layer"));
        layers_seen.push(*layer);
        let text = read(&path);
        let mut imports = imports(&text, "crate::");
        // A path may climb to the crate's root by `super`, too.
        imports.extend(self::imports(&text, "super::"));
        let is_layer = |name: &&String| CORE_LAYERS.iter().any(|layer| layer.0 == **name);
        for import in imports.iter().filter(is_layer) {
            let downwards = import == layer || below.contains(&import.as_str());
            assert!(
                downwards,
                "{path:?}: `{layer}` must not import from `{import}`"
            );
        }
    }
    for (layer, _) in CORE_LAYERS {
        assert!(
            layers_seen.contains(&layer),
            "no file of `{layer}` was looked at"
        );
    }
}

#[test]
fn the_files_of_a_layer_make_no_circle() {
    for (layer, _) in CORE_LAYERS {
        let folder = root().join("allocator-core/src").join(layer);
        let mut files = Imports::new();
        for path in rust_files(&folder) {
            let text = read(&path);
            let mut names = imports(&text, "super::");
            names.extend(imports(&text, &format!("crate::{layer}::")));
            files.insert(stem(&path), names.into_iter().collect());
        }
        complete(files);
    }
}

#[test]
fn the_modules_of_the_macro_import_downwards_only() {
    let source = root().join("allocator-macros/src");
    let mut modules = Imports::new();
    for path in rust_files(&source) {
        let inside = path.strip_prefix(&source).expect("below the source folder");
        let module = Path::new(inside.iter().next().expect("a name")).with_extension("");
        let module = module.to_string_lossy().into_owned();
        let imports = imports(&read(&path), "crate::");
        modules.entry(module).or_default().extend(imports);
    }
    let known = complete(modules);
    for (at, step) in MACRO_STEPS.iter().enumerate() {
        let imports = known
            .get(*step)
            .unwrap_or_else(|| panic!("`{step}` is gone"));
        for later in &MACRO_STEPS[at + 1..] {
            assert!(
                !imports.contains(*later),
                "`{step}` must not know of `{later}`"
            );
        }
    }
}

#[test]
fn no_file_is_longer_than_it_may_be() {
    for path in rust_files(&root()) {
        let lines = read(&path).lines().count();
        assert!(lines <= LINES_MAX, "{path:?} has {lines} lines");
    }
}

#[test]
fn every_example_fits_a_screen() {
    let is_example = |path: &PathBuf| !path.iter().any(|folder| folder == "tests");
    let examples = rust_files(&root().join("examples"));
    let examples: Vec<_> = examples.into_iter().filter(is_example).collect();
    assert!(examples.len() >= 8, "{examples:?}");
    for path in examples {
        let lines = read(&path).lines().count();
        assert!(lines < EXAMPLE_LINES, "{path:?} has {lines} lines");
    }
}

#[test]
fn the_readme_has_the_options_of_the_macro() {
    let options = read(&root().join("allocator-macros/src/options.md"));
    let options = options.replace("\n#", "\n##").replacen('#', "##", 1);
    let readme = root().join("README.md");
    let text = read(&readme);
    let start = text
        .find("## Options\n")
        .expect("the README has a part `Options`");
    let end = text
        .find("\n## Limits")
        .expect("the README has a part `Limits` after it");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&readme, [&text[..start], &options, &text[end..]].concat()).expect("writable");
    } else {
        assert!(
            text[start..end] == options,
            "the README's options are not the macro's; run `UPDATE_DOCS=1 cargo test --test house`"
        );
    }
}

#[test]
fn imports_are_found_in_every_form() {
    let text = "
        //! [`crate::comment`]
        use crate::alone;
        use crate::path::to::Thing;
        use crate::{first, second::{Inner, deeper::Thing}, third as other};
        fn f() { crate::in_code::call(super::sibling::X); } // crate::after
        pub(crate) use self::own;
    ";
    assert_eq!(
        imports(text, "crate::"),
        ["alone", "path", "first", "second", "third", "in_code"]
    );
    assert_eq!(imports(text, "super::"), ["sibling"]);
}

/// What each module imports, by its name.
type Imports = BTreeMap<String, BTreeSet<String>>;

/// Adds what the imports import in turn, to the end.
///
/// # Panics
/// When a module comes out as its own import: the imports make a circle.
fn complete(mut modules: Imports) -> Imports {
    for _ in 0..modules.len() {
        let before = modules.clone();
        for (module, imports) in &mut modules {
            let further = before[module].iter().filter_map(|name| before.get(name));
            imports.extend(further.flatten().cloned());
        }
    }
    for (module, imports) in &modules {
        assert!(
            !imports.contains(module),
            "`{module}` imports itself by way of {imports:?}"
        );
    }
    modules
}

/// The modules named right after `prefix` in the code of `text`, comments left out.
fn imports(text: &str, prefix: &str) -> Vec<String> {
    let code = |line: &'_ str| line.split("//").next().unwrap_or_default().to_owned();
    let code = text.lines().map(code).collect::<Vec<_>>().join("\n");
    let mut found = Vec::new();
    for (at, _) in code.match_indices(prefix) {
        let rest = &code[at + prefix.len()..];
        match rest.strip_prefix('{') {
            Some(group) => found.extend(names_of_group(group)),
            None => found.push(first_name(rest)),
        }
    }
    found.retain(|name| !name.is_empty());
    found
}

/// The first names of the paths in a group, whose opening brace is gone.
fn names_of_group(group: &str) -> Vec<String> {
    let mut depth = 0;
    let mut start = 0;
    let mut names = Vec::new();
    for (at, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                names.push(first_name(group[start..at].trim_start()));
                start = at + 1;
            }
            _ => {}
        }
        if character == '}' && depth == 0 && start == at + 1 {
            break;
        }
    }
    names
}

/// The identifier that a text starts with.
fn first_name(text: &str) -> String {
    let is_part = |character: &char| character.is_alphanumeric() || *character == '_';
    text.chars().take_while(is_part).collect()
}

/// The folder of the workspace.
fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests
        .parent()
        .expect("the tests are in the workspace")
        .to_path_buf()
}

/// The name of a file's module.
fn stem(path: &Path) -> String {
    path.with_extension("")
        .file_name()
        .expect("a file has a name")
        .to_string_lossy()
        .into_owned()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{path:?}: {error}"))
}

/// All Rust files below a folder, build output left out.
fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("{folder:?}: {error}")) {
        let path = entry.expect("the folder can be read").path();
        let name = path
            .file_name()
            .expect("an entry has a name")
            .to_string_lossy();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            found.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}
