package traffic

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

func TestLedgerKeepsWhatWasAccepted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "accepted.log")
	for start := range 2 {
		l, err := OpenLedger(path)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 5 {
			if err := l.Accepted(fmt.Sprintf("key-%d-%d", start, i), fmt.Sprintf("order-%d-%d", start, i)); err != nil {
				t.Fatal(err)
			}
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		cutOff(t, path, "key-9 ord")
	}
	l, err := OpenLedger(path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := l.Accepted("last", "order"); err != nil {
		t.Fatal(err)
	}
	var lines []string
	if err := l.Read(3, func(keys, orders []string) error {
		if len(keys) > 3 || len(keys) != len(orders) {
			t.Fatalf("a batch of %d keys and %d orders", len(keys), len(orders))
		}
		for i := range keys {
			lines = append(lines, keys[i]+"="+orders[i])
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if len(lines) != 11 || lines[0] != "key-0-0=order-0-0" || lines[9] != "key-1-4=order-1-4" || lines[10] != "last=order" {
		t.Fatalf("%q", lines)
	}
}

// cutOff appends what a crash in the middle of a line leaves.
func cutOff(t *testing.T, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
}
