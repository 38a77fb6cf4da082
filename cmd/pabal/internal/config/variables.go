package config

import (
	"regexp"
	"slices"
)

// ForeignVariables are those of the client commands and of examples, which pabal up
// does not read.
var ForeignVariables = []string{FileVariable, EnvPrefix + "SERVER", EnvPrefix + "TOKEN", EnvPrefix + "CA"}

// foreign says whether a variable is another's: of the client commands, of the project's
// tests, or of a cluster.
func foreign(name string) bool {
	return slices.Contains(ForeignVariables, name) || tests.MatchString(name) || kubernetes.MatchString(name)
}

var tests = regexp.MustCompile(`^PABAL_(REQUIRE|CACHE|(TEST|TESTSERVERS|FAULTS|SQLITE_TEST)_\w+)$`)

// kubernetes matches the variables that a cluster sets for a service whose name
// begins with pabal, such as PABAL_SERVICE_HOST and PABAL_CONSOLE_PORT_8080_TCP.
var kubernetes = regexp.MustCompile(`^PABAL_(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)$`)
