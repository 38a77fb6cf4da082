package architecture_test

import (
	"path"
	"strings"
	"testing"
)

// hexagons are systems each of whose services is a domain, ports around it, and
// adapters around those.
var hexagons = []string{"examples/hotel", "examples/library"}

// surroundings is what only adapters know: databases, messages, HTTP, the machine.
var surroundings = []string{
	"database", "net", "os", "log", "syscall",
	module + "/event", module + "/inbox", module + "/outbox", module + "/saga", module + "/storage", module + "/kafka",
	module + "/projection", module + "/journal", module + "/entity",
}

// brokenHexagon says what is wrong with an import of a service's inner parts.
func brokenHexagon(e edge) string {
	for _, system := range hexagons {
		rest, ok := strings.CutPrefix(e.pkg, system+"/")
		if !ok {
			continue
		}
		service, part, _ := strings.Cut(rest, "/")
		part, _, _ = strings.Cut(part, "/")
		_, known := longest(e.imported, surroundings)
		own, ours := relative(e.imported)
		switch {
		case part == "adapters" || service == "cmd":
			return ""
		case part == "domain" && !isStandard(e.imported):
			return "a domain imports only the standard library"
		case part == "ports" && ours && !under(own, path.Join(system, service, "domain")):
			return "ports import only their own domain and the standard library"
		case known:
			return "only adapters know of databases, messages, HTTP and the machine"
		}
	}
	return ""
}

func TestDomainsPortsAdapters(t *testing.T) {
	parts := map[string]int{}
	for _, e := range moduleImports(t) {
		if why := brokenHexagon(e); why != "" {
			t.Errorf("%s imports %s: %s", e.file, e.imported, why)
		}
		for _, system := range hexagons {
			if under(e.pkg, system) {
				parts[system+" "+path.Base(e.pkg)]++
			}
		}
	}
	for _, system := range hexagons {
		for _, part := range []string{"domain", "ports", "adapters"} {
			if parts[system+" "+part] == 0 {
				t.Errorf("%s has no %s", system, part)
			}
		}
	}
}

func TestHexagonCheckerCatches(t *testing.T) {
	for _, test := range []struct{ pkg, imported, want string }{
		{"examples/hotel/room/domain", "time", ""},
		{"examples/hotel/room/domain", "database/sql", "only adapters"},
		{"examples/hotel/room/domain", "net/http", "only adapters"},
		{"examples/hotel/room/domain", "os", "only adapters"},
		{"examples/hotel/room/domain", module + "/examples/hotel/message", "standard library"},
		{"examples/library/book/domain", "github.com/google/uuid", "standard library"},
		{"examples/hotel/room/ports", module + "/examples/hotel/room/domain", ""},
		{"examples/hotel/room/ports", module + "/examples/hotel/reservation/domain", "own domain"},
		{"examples/hotel/room/ports", module + "/storage", "own domain"},
		{"examples/hotel/room/ports", "database/sql", "only adapters"},
		{"examples/hotel/room", module + "/storage", "only adapters"},
		{"examples/hotel/room", module + "/examples/service", ""},
		{"examples/hotel/message", module + "/event", "only adapters"},
		{"examples/hotel/room/adapters", module + "/storage", ""},
		{"examples/hotel/cmd/room", "os", ""},
		{"examples/orders/order/domain", module + "/storage", ""},
	} {
		got := brokenHexagon(edge{pkg: test.pkg, imported: test.imported})
		if (got == "") != (test.want == "") || !strings.Contains(got, test.want) {
			t.Errorf("%s -> %s: %q, want %q", test.pkg, test.imported, got, test.want)
		}
	}
}
