//! What must be right about the system before a window can be opened on it.

/// Works around drivers that leave WebKitGTK's window white. Call this before anything starts a thread: it changes the
/// environment.
///
/// Narrow on purpose: only Nvidia's driver under Wayland needs it, and this switch keeps acceleration, while the better-known
/// `WEBKIT_DISABLE_DMABUF_RENDERER` costs it on every machine.
pub fn work_around_drivers() {
    #[cfg(target_os = "linux")]
    {
        const SWITCH: &str = "__NV_DISABLE_EXPLICIT_SYNC";
        let wayland = std::env::var_os("WAYLAND_DISPLAY").is_some_and(|name| !name.is_empty());
        let nvidia = std::path::Path::new("/sys/module/nvidia_drm").exists() || std::path::Path::new("/proc/driver/nvidia").exists();
        if wayland && nvidia && std::env::var_os(SWITCH).is_none() {
            #[expect(unsafe_code, reason = "the environment is changed at the very beginning of main, before any thread exists")]
            // SAFETY: no other thread runs yet.
            unsafe {
                std::env::set_var(SWITCH, "1");
            }
        }
    }
}

/// Whether a window can be opened at all; if not, a sentence that says what to do instead.
///
/// # Errors
/// The sentence, when there is no display. Without this check the windowing library panics.
pub fn check_display() -> Result<(), String> {
    #[cfg(target_os = "linux")]
    {
        let named = ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()));
        if !named {
            return Err("There is no display to open a window on. Run shopbell-server instead and open Shopbell in a browser.".to_owned());
        }
        if gtk::init().is_err() {
            return Err(
                "The display named by DISPLAY or WAYLAND_DISPLAY does not answer. Check it, or run shopbell-server and open Shopbell in a browser."
                    .to_owned(),
            );
        }
    }
    Ok(())
}
