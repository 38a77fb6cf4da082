package domain

import "testing"

func TestCheckEmail(t *testing.T) {
	for address, ok := range map[string]bool{
		"jenny@example.com": true, "제니@example.com": true, "": false, "jenny": false, "jenny@": false, "@example.com": false,
		"Jenny <jenny@example.com>": false, "<jenny@example.com>": false, "a@b.c, d@e.f": false, "a b@example.com": false,
	} {
		if err := CheckEmail(address); (err == nil) != ok {
			t.Errorf("%q: %v", address, err)
		}
	}
}
