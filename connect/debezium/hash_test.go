package debezium

import (
	"strings"
	"testing"
)

// TestHashes against what Debezium 3.6.1 makes of the values with the salt CzQMA0cB5K.
func TestHashes(t *testing.T) {
	for _, c := range []struct{ algorithm, text, v1, v2 string }{
		{"SHA-256", "hello", "b4d39ab0d198fb4cac8b2f023da74f670bcaf192dcc79b5d6361b7ae6b2fafdf", "c4bf2f9ebc99b7f64add45103e81eb4ca483649064e3e1398b21f41786360c7b"},
		{"SHA-256", "", "7b061bc77caec9afdc6b986ab6c4de894d58006b32ac0f7ea728404a5cf3a9e5", "38bc986eb4a5475fab16ac693f6c1b4c2445600da5c5aec3d04301e48d6d0d68"},
		{"SHA-256", "hé€😀", "024ccd7a822359819bc1959f11ff3edc1d29291674dee0eb4ed665beb1879e8a", "29c2fd2663a595de68b86e8529334f82eb92597150377538bb249667a45b0098"},
		{"SHA-256", "a\x00b", "7a4e0b6193a8e8b07915879af5d44e8a0e21f873107f348336246570a1eb7a54", "ee3dd6d52d216c6dd4eecb1b5afb8c5f79459939e423b753dcf404a148d09527"},
		{"SHA-256", strings.Repeat("x", 70000), "21042a3875b47dd8220328aaae40017a2549733682fadda8e245c213391dc13f", "d0b74c74bb612bef1c7a7bb3ff2d211de4c4f8b19597c4838d8b57803a75328b"},
		{"MD5", "hello", "555603318934c3e17a4778a3b4a26e59", "c46c1056b15699a559174f8d2c440b5f"},
		{"SHA3-256", "hello", "61544fb70164da5155ec1ea088035e8c3775c87ada0bd9ddbbefb135a02acb11", "8249f2d3589b12c4984d52f0ec6c12c716067f30ea4457593cec4770a60e2ecd"},
	} {
		for i, want := range []string{c.v1, c.v2} {
			h, err := newHashed(c.algorithm, "CzQMA0cB5K", i == 0)
			if err != nil {
				t.Fatal(err)
			}
			if got := h.value(Column{Text: true, Length: Unset})(c.text); got != want {
				t.Errorf("%s of %.10q, version %d: %s", c.algorithm, c.text, i+1, got)
			}
			if got := h.value(Column{Text: true, Length: 5})(c.text); got != want[:5] {
				t.Errorf("in a varchar(5): %s", got)
			}
		}
	}
	if _, err := newHashed("ROT13", "x", true); err == nil {
		t.Error("ROT13 is known")
	}
	h, _ := newHashed("MD5", "x", true)
	if h.value(Column{Text: false}) != nil || h.value(Column{Text: true})(nil) != nil {
		t.Error("what is no text is hashed")
	}
}

// TestJavaOrder is that of Java 17 after each of these was put.
func TestJavaOrder(t *testing.T) {
	tx := &Transactions{on: true, buckets: 16}
	tx.state.id = "1"
	want := map[int]string{
		5:  "0,8,7,14,1",
		12: "0,9,8,7,10,17,16,3,15,2,14,1",
		13: "0,8,7,10,17,4,16,3,15,2,14,1,9",
		20: "0,8,13,7,12,11,6,10,5,17,4,16,3,15,2,14,1,19,18,9",
	}
	numbers := []string{"0", "7", "14", "1", "8", "15", "2", "9", "16", "3", "10", "17", "4", "11", "18", "5", "12", "19", "6", "13"}
	for i, n := range numbers {
		tx.Event("public.table" + n)
		if names, ok := want[i+1]; ok {
			var got []string
			for _, c := range javaOrder(tx.state.counts, tx.buckets) {
				got = append(got, strings.TrimPrefix(c.table, "public.table"))
			}
			if strings.Join(got, ",") != names {
				t.Errorf("%d tables: %v, want %s", i+1, got, names)
			}
		}
	}
}

func TestCutText(t *testing.T) {
	for text, want := range map[string]string{"abcd": "abc", "abc": "abc", "ab😀": "ab?", "a😀b": "a😀", "": ""} {
		if got := cutText(text, 3); got != want {
			t.Errorf("%q is cut to %q", text, got)
		}
	}
}
