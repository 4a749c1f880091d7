//! Files: saving a text, reading one that was chosen or dropped.

use leptos::prelude::{Callable, Callback};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{Blob, BlobPropertyBag, DragEvent, Event, File, FileList, HtmlAnchorElement, HtmlInputElement, Url};

/// A file that a person gave, or why it can't be read.
pub type FileText = Result<(String, String), String>;

/// Files that a person gave, each with its path, or why they can't be read.
pub type FileTexts = Result<Vec<(String, String)>, String>;

/// Offers a text as a download of this name.
pub fn save_file(name: &str, mime: &str, text: &str) {
    let save = || -> Option<()> {
        let options = BlobPropertyBag::new();
        options.set_type(mime);
        let parts = js_sys::Array::of1(&JsValue::from_str(text));
        let blob = Blob::new_with_str_sequence_and_options(&parts, &options).ok()?;
        let url = Url::create_object_url_with_blob(&blob).ok()?;
        let document = web_sys::window()?.document()?;
        let anchor: HtmlAnchorElement = document.create_element("a").ok()?.dyn_into().ok()?;
        anchor.set_href(&url);
        anchor.set_download(name);
        anchor.click();
        Url::revoke_object_url(&url).ok()
    };
    // It fails only where the page is already going away.
    let _ = save();
}

/// Reads the file that was chosen in a file field; gives its name and text. `most` is its largest size in bytes.
pub fn read_chosen_file(event: &Event, most: u32, done: Callback<FileText>) {
    let field: Option<HtmlInputElement> = event.target().and_then(|target| target.dyn_into().ok());
    if let Some(file) = field.as_ref().and_then(HtmlInputElement::files).and_then(|files| files.get(0)) {
        read(file, most, done);
    }
    // The same file can be chosen again, after it was mended.
    if let Some(field) = field {
        field.set_value("");
    }
}

/// Reads the file that was dropped, as above.
pub fn read_dropped_file(event: &DragEvent, most: u32, done: Callback<FileText>) {
    if let Some(file) = event.data_transfer().and_then(|data| data.files()).and_then(|files| files.get(0)) {
        read(file, most, done);
    }
}

/// Reads all files that were chosen in a file field; gives each with its path: of a chosen folder, what stands below it. `most` is
/// their largest size together in bytes. Hidden files are passed over.
pub fn read_chosen_files(event: &Event, most: u32, done: Callback<FileTexts>) {
    let field: Option<HtmlInputElement> = event.target().and_then(|target| target.dyn_into().ok());
    let files = field.as_ref().and_then(HtmlInputElement::files);
    if let Some(files) = files.filter(|files| files.length() > 0) {
        read_all(&files, most, done);
    }
    // The same files can be chosen again, after they were mended.
    if let Some(field) = field {
        field.set_value("");
    }
}

/// Reads the files that were dropped, as above.
pub fn read_dropped_files(event: &DragEvent, most: u32, done: Callback<FileTexts>) {
    let files = event.data_transfer().and_then(|data| data.files());
    if let Some(files) = files.filter(|files| files.length() > 0) {
        read_all(&files, most, done);
    }
}

/// Where a file stands below the chosen folder, or its name.
fn path_of(file: &File) -> String {
    let within = js_sys::Reflect::get(file, &"webkitRelativePath".into()).ok().and_then(|path| path.as_string());
    match within.as_deref().and_then(|path| path.split_once('/')) {
        Some((_, below)) => below.to_owned(),
        None => file.name(),
    }
}

fn read_all(files: &FileList, most: u32, done: Callback<FileTexts>) {
    let files: Vec<(String, File)> = (0..files.length())
        .filter_map(|at| files.get(at))
        .map(|file| (path_of(&file), file))
        .filter(|(path, _)| !path.split('/').any(|segment| segment.starts_with('.')))
        .collect();
    let size: f64 = files.iter().map(|(_, file)| file.size()).sum();
    if size > f64::from(most) {
        done.run(Err(format!("that is more than {most} bytes")));
        return;
    }
    spawn_local(async move {
        let mut texts = Vec::with_capacity(files.len());
        for (path, file) in files {
            match JsFuture::from(file.text()).await.ok().and_then(|text| text.as_string()) {
                Some(text) => texts.push((path, text)),
                None => {
                    let _ = done.try_run(Err(format!("{path} can't be read")));
                    return;
                }
            }
        }
        // Who asked may be gone meanwhile.
        let _ = done.try_run(Ok(texts));
    });
}

fn read(file: File, most: u32, done: Callback<FileText>) {
    if file.size() > f64::from(most) {
        done.run(Err(format!("{} is larger than {most} bytes", file.name())));
        return;
    }
    spawn_local(async move {
        let text = JsFuture::from(file.text()).await.ok().and_then(|text| text.as_string());
        done.run(text.map(|text| (file.name(), text)).ok_or_else(|| format!("{} can't be read", file.name())));
    });
}
