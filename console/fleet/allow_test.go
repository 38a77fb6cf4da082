package fleet

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/console/api"
)

func TestPermits(t *testing.T) {
	list := func(entries ...string) allowList {
		a, err := parseAllow(entries)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	none, some := list(), list("Orders.Example", "10.0.0.0/8", "192.168.1.7", "fd00::/8")
	for _, x := range []struct {
		list allowList
		host string
		at   string
		want bool
	}{
		{none, "127.0.0.1", "127.0.0.1", true},
		{none, "127.9.9.9", "127.9.9.9", true},
		{none, "localhost", "::1", true},
		{none, "LOCALHOST", "127.0.0.1", true},
		{none, "::ffff:127.0.0.1", "::ffff:127.0.0.1", true},
		{none, "localhost", "10.0.0.1", false},         // a resolver that lies
		{none, "evil.example", "127.0.0.1", false},     // a name that points here
		{none, "localhost.evil.example", "::1", false}, //
		{none, "0.0.0.0", "0.0.0.0", false},
		{none, "10.0.0.1", "10.0.0.1", false},
		{none, "169.254.169.254", "169.254.169.254", false},
		{some, "10.1.2.3", "10.1.2.3", true},
		{some, "::ffff:10.1.2.3", "::ffff:10.1.2.3", true},
		{some, "anything.example", "10.1.2.3", true},
		{some, "anything.example", "11.1.2.3", false},
		{some, "192.168.1.7", "192.168.1.7", true},
		{some, "192.168.1.8", "192.168.1.8", false},
		{some, "fd00::1", "fd00::1", true},
		{some, "orders.example", "93.184.216.34", true},
		{some, "ORDERS.example", "93.184.216.34", true},
		{some, "orders.example", "169.254.169.254", false},
		{some, "orders.example", "fe80::1%eth0", false},
		{some, "orders.example", "0.0.0.0", false},
		{some, "orders.example.evil.example", "93.184.216.34", false},
	} {
		if got := x.list.permits(x.host, netip.MustParseAddr(x.at)); got != x.want {
			t.Errorf("%s at %s: %v", x.host, x.at, got)
		}
	}
	for _, entry := range []string{"", "http://a", "a:80", "10.0.0.0/99", "a b", "*.example", "/"} {
		if _, err := parseAllow([]string{entry}); !errors.Is(err, api.ErrInvalid) || !strings.Contains(err.Error(), `"`+entry+`"`) {
			t.Errorf("entry %q: %v", entry, err)
		}
	}
}

func TestCheckOfAnAnnouncedAddress(t *testing.T) {
	bare, err := parseAllow(nil)
	if err != nil {
		t.Fatal(err)
	}
	listed, err := parseAllow([]string{"orders.example", "10.0.0.0/8"})
	if err != nil {
		t.Fatal(err)
	}
	for url, want := range map[string]string{
		"http://127.0.0.1:8101/admin":     "",
		"https://localhost/admin":         "",
		"http://[::1]:1/admin":            "",
		"http://10.0.0.1/admin":           "allow list",
		"http://orders.example/admin":     "allow list",
		"http://169.254.169.254/latest":   "allow list",
		"http://0x7f000001/":              "allow list",
		"http://2130706433/":              "allow list",
		"file:///etc/passwd":              "no URL",
		"file://localhost/etc/passwd":     "file",
		"gopher://127.0.0.1/":             "gopher",
		"javascript:alert(1)":             "no URL",
		"http://127.0.0.1@evil.example/":  "more than",
		"http://127.0.0.1/?x=1":           "more than",
		"http://127.0.0.1/#x":             "more than",
		"http://:80/":                     "no URL",
		"http://[::1":                     "no URL",
		"//127.0.0.1/":                    "http",
		"http://127.0.0.1.evil.example/":  "allow list",
		"http://evil.example\\@127.0.0.1": "no URL",
	} {
		err := bare.check(url)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", url, err, want)
		}
	}
	for _, url := range []string{"http://orders.example/admin", "http://10.0.0.1/admin", "http://pod.example/admin"} {
		if err := listed.check(url); err != nil {
			t.Errorf("%s: %v", url, err)
		}
	}
}

// TestDialIsNotRebound: the address that was checked is called, and a name is
// resolved once for both.
func TestDialIsNotRebound(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	asked := 0
	f := newFleet(t, Config{Allow: []string{"listed.example"}, Resolve: func(_ context.Context, host string) ([]netip.Addr, error) {
		asked++
		if asked > 1 { // the second answer of a name that is rebound
			t.Error("resolved again")
		}
		return map[string][]netip.Addr{
			"listed.example": {netip.MustParseAddr("169.254.1.1"), netip.MustParseAddr("127.0.0.1")},
			"evil.example":   {netip.MustParseAddr("127.0.0.1")},
		}[host], nil
	}})
	conn, err := f.dial(t.Context(), "tcp", "listed.example:"+port)
	if err != nil || asked != 1 || conn.RemoteAddr().String() != l.Addr().String() {
		t.Fatalf("%v after %d look-ups", err, asked)
	}
	conn.Close()
	asked = 0
	if _, err := f.dial(t.Context(), "tcp", "evil.example:"+port); err == nil || !strings.Contains(err.Error(), "not called") {
		t.Errorf("a foreign name that points here: %v", err)
	}
}
