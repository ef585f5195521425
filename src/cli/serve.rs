//! `tanya demo` and `tanya serve`: the long-running commands.

use std::io::IsTerminal;
use std::path::Path;

use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use super::{Failure, Outcome, Output, read_settings};
use crate::app::App;
use crate::config::{LogFormat, Mode, Role, Settings};
use crate::trace::Export;

pub fn demo(config: Option<&Path>, public: bool, out: &mut Output) -> Outcome {
    let settings = read_settings(config, Mode::Demo, out)?;
    let outside = [
        settings.http_addr,
        settings.admin_addr,
        settings.simulator_addr,
    ]
    .into_iter()
    .find(|address| !address.ip().is_loopback());
    if let Some(address) = outside.filter(|_| !public) {
        return Err(Failure::Usage(format!(
            "{address} can be reached by other machines, and the demo is not made for that; add --public if you mean it"
        )));
    }
    run(&settings, out)
}

pub fn serve(config: Option<&Path>, role: Option<&str>, out: &mut Output) -> Outcome {
    let mut settings = read_settings(config, Mode::Serve, out)?;
    if let Some(role) = role.and_then(Role::parse) {
        settings.role = role;
    }
    run(&settings, out)
}

fn run(settings: &Settings, out: &mut Output) -> Outcome {
    start_logging(&settings.log, settings.log_format);
    // Kept until all else is over, so that the last traces go too.
    let _traces = settings.collector.as_ref().map(Export::start).transpose()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut hangup = signal(SignalKind::hangup())?;
        let mut app = App::start(settings).await?;
        announce(settings, &app, out);
        loop {
            tokio::select! {
                _ = terminate.recv() => break,
                _ = interrupt.recv() => break,
                _ = hangup.recv() => app.reload(),
                () = app.broken() => {
                    app.stop().await;
                    anyhow::bail!("a part of the program broke; it ends, to be started again");
                }
            }
        }
        tracing::info!("stopping");
        app.stop().await;
        tracing::info!("stopped");
        Ok::<(), anyhow::Error>(())
    })?;
    Ok(())
}

fn announce(settings: &Settings, app: &App, out: &mut Output) {
    tracing::info!(http = %app.http_addr, admin = %app.admin_addr, "ready");
    if settings.mode == Mode::Serve {
        return;
    }
    if settings.telegram.is_some() {
        out.say("\n  The bot answers on Telegram.");
    }
    let port = app.http_addr.port();
    let simulator = app.simulator_url.as_ref().map_or_else(String::new, |url| {
        format!("Sample portal, and its sample people  {url}/, {url}/demo/people.json\n    ")
    });
    let account = app
        .demo_account
        .as_ref()
        .map_or_else(String::new, |account| {
            format!(
                "  user {}, password {}, authenticator secret {}\n    ",
                account.username, account.password, account.totp_secret
            )
        });
    out.say(&format!(
        "\n  Tanya is running. Open in a browser:\n\n    \
         Sample treasury page with the chat   http://{host}:{port}/\n    \
         The chat as a page of its own        {public}/chat\n    \
         E-mails that were not really sent    {public}/demo/inbox\n    \
         Officers' console                    {public}/console\n    \
         {account}\
         {simulator}\
         Health and figures for the operator  http://{admin}/readyz, /metrics\n\n  \
         This is a demonstration: the treasury page is a sample. Stop with Ctrl+C.\n",
        host = app.http_addr.ip(),
        public = app.public_url,
        admin = app.admin_addr,
    ));
}

/// Logs go to standard error: where no setting says otherwise, for people on a terminal, as JSON lines elsewhere.
fn start_logging(filter: &str, format: LogFormat) {
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    // What a panic says may hold words of a person: only its place is told.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        tracing::error!(place, "panicked");
    }));
    let text = match format {
        LogFormat::Fitting => std::io::stderr().is_terminal(),
        LogFormat::Json => false,
        LogFormat::Text => true,
    };
    if text {
        builder.init();
    } else {
        builder.json().init();
    }
}
