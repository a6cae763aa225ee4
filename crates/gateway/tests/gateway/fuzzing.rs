//! What a machine thinks of that nobody else does: requests made of the description, right and wrong ones.

use std::path::Path;
use std::process::Stdio;

use crate::world::World;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_made_of_the_description_are_answered_as_it_says() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let requirements = here.join("../testkit/requirements/schemathesis.txt");
    let environment = cardoon_testkit::environment(&requirements).unwrap();
    let folder = cardoon_testkit::folder().unwrap();
    let world = World::new().await.work();
    let mut command = tokio::process::Command::new(environment.join("bin/schemathesis"));
    command.arg("--config-file").arg(here.join("tests/gateway/schemathesis.toml"));
    command.args(["run", "--checks", "all"]).arg(format!("http://{}/api/v1/openapi.json", world.address));
    command.current_dir(folder.path()).stdin(Stdio::null()).kill_on_drop(true);
    let ended = command.output().await.unwrap();
    let (said, complained) = (String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
    assert!(ended.status.success(), "{said}\n{complained}");
    assert_eq!(world.get("/livez").await.status, 200);
}
