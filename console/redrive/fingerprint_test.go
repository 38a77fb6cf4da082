package redrive

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestNormalise(t *testing.T) {
	for reason, want := range map[string]string{
		"":                                    "",
		"insufficient balance: 1500 of 20000": "insufficient balance: # of #",
		"account 018f3c2e-7a1b-7cde-8f00-0123456789ab is closed":          "account <id> is closed",
		"ACCOUNT 018F3C2E-7A1B-7CDE-8F00-0123456789AB":                    "ACCOUNT <id>",
		`no customer "kim" in 'north'`:                                    `no customer "…" in '…'`,
		"can't find order's row 7, won't":                                 "can't find order's row #, won't",
		"column `price` is missing":                                       "column `…` is missing",
		"dial tcp 10.0.0.7:5432: connect: connection refused":             "dial tcp <addr>: connect: connection refused",
		"dial tcp [::1]:5432: i/o timeout":                                "dial tcp <addr>: i/o timeout",
		"lookup db-3.internal:5432 failed":                                "lookup <addr> failed",
		"peer fe80:0:0:1:2:3:4:5 went away":                               "peer <addr> went away",
		"panic at 0xc000123abc in goroutine 17":                           "panic at <hex> in goroutine #",
		"commit 3f9a77c1d2 not found":                                     "commit <hex> not found",
		"digest deadbeefcafe1234 differs":                                 "digest <hex> differs",
		"the facade was defaced":                                          "the facade was defaced",
		"refused at 2026-02-03T04:05:06.007Z and 2026-02-03 04:05:06":     "refused at <time> and <time>",
		"Get \"https://x.example/a?b=1\": EOF":                            `Get "…": EOF`,
		"GET https://x.example/a?b=1 said 503":                            "GET <url> said #",
		"mail to kim@example.com bounced":                                 "mail to <mail> bounced",
		"balance -12.50, +3":                                              "balance #, #",
		"two\nlines\t and   blanks":                                       "two lines and blanks",
		"sha256 over http2":                                               "sha# over http#",
		"주문 12번을 찾을 수 없음":                                                 "주문 #번을 찾을 수 없음",
		"nul\x00 and \xff bytes":                                          "nul and bytes",
		"<script>alert('x')</script>":                                     "<script>alert('…')</script>",
		"MESSAGE_TOO_LARGE: 1048588 bytes is larger than 1000012":         "MESSAGE_TOO_LARGE: # bytes is larger than #",
		`pq: duplicate key value violates unique constraint "orders_pk1"`: `pq: duplicate key value violates unique constraint "…"`,
	} {
		if got := normalise(reason); got != want {
			t.Errorf("%q:\ngot  %q\nwant %q", reason, got, want)
		}
	}
}

func FuzzNormalise(f *testing.F) {
	f.Add(`a "b" 'c' 0x1f 10.0.0.1:80`)
	f.Add("''a'' 'b")
	f.Fuzz(func(t *testing.T, reason string) {
		if got := normalise(reason); !utf8.ValidString(got) || strings.Contains(got, "\x00") || strings.ContainsAny(got, "0123456789") {
			t.Errorf("%q: %q", reason, got)
		}
	})
}

func TestNormaliseIsBounded(t *testing.T) {
	for _, unit := range []string{"<b>1", `"`, "'", "a:", "1.", "0x", "한"} {
		if got := normalise(strings.Repeat(unit, 1<<20/len(unit))); len(got) > 3*maxNormal {
			t.Errorf("%q: %d bytes", unit, len(got))
		}
	}
}

func TestFingerprintsDiffer(t *testing.T) {
	consumer := giver{consumer: "payment"}
	base := fingerprint("c1", consumer, "orders", "no account 7")
	if again := fingerprint("c1", consumer, "orders", "no account 8"); again != base {
		t.Error("another figure makes another fingerprint")
	}
	for what, other := range map[string]string{
		"cluster":  fingerprint("c2", consumer, "orders", "no account 7"),
		"consumer": fingerprint("c1", giver{consumer: "coupon"}, "orders", "no account 7"),
		"outbox":   fingerprint("c1", giver{outbox: "payment"}, "orders", "no account 7"),
		"topic":    fingerprint("c1", consumer, "refunds", "no account 7"),
		"error":    fingerprint("c1", consumer, "orders", "no such account 7"),
	} {
		if other == base {
			t.Errorf("another %s makes no other fingerprint", what)
		}
	}
}
