package ports

import (
	"net"
	"strconv"
	"strings"
	"testing"
)

// TestAnyFreePort is not one that an outgoing connection could take meanwhile.
func TestAnyFreePort(t *testing.T) {
	addresses, err := Choose(Need{Addr: "127.0.0.1:0"}, Need{Addr: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	if addresses[0] == addresses[1] {
		t.Errorf("both are %s", addresses[0])
	}
	for _, address := range addresses {
		_, text, _ := net.SplitHostPort(address)
		if port, err := strconv.Atoi(text); err != nil || port < lowest || port >= highest {
			t.Errorf("%s was chosen", address)
		}
	}
}

func TestTakenPort(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, err = Choose(Need{Addr: l.Addr().String(), What: "the console", Flag: "--console"})
	if err == nil || !strings.Contains(err.Error(), "the console needs it: choose another one with --console") {
		t.Errorf("the error is %v", err)
	}
}

// TestOptional: one that can be done without is left out where it is taken, and only then.
func TestOptional(t *testing.T) {
	chosen, err := Choose(Need{Addr: "127.0.0.1:0", Optional: true})
	if err != nil || len(chosen) != 1 || chosen[0] == "" {
		t.Fatalf("%q, %v", chosen, err)
	}
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	if chosen, err = Choose(Need{Addr: "127.0.0.1:0"}, Need{Addr: busy.Addr().String(), Optional: true}); err != nil || len(chosen) != 2 || chosen[0] == "" || chosen[1] != "" {
		t.Errorf("%q, %v", chosen, err)
	}
}
