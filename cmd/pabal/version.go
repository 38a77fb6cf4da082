package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// versionCommand prints what was built, and with what.
type versionCommand struct{}

// Run is called by kong.
func (versionCommand) Run(s *streams) error {
	_, err := fmt.Fprintf(s.out, "pabal %s (%s, %s/%s)\n", version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}

// released is the version of a release; its build sets it.
var released string

// version is that of the release, or the module's, which the go command puts into
// the binary.
func version() string {
	if released != "" {
		return released
	}
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return "(devel)"
	}
	return info.Main.Version
}
