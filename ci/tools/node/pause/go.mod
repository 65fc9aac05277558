module sidelane.dev/ci/tools/node/pause

go 1.26.0
