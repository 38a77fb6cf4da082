package docs_test

import "os/exec"

func endWithChildren(*exec.Cmd) {}
