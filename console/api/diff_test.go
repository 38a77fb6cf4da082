package api_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/console/api"
)

func TestDiff(t *testing.T) {
	tests := []struct{ name, before, after, want string }{
		{"the same", `{"a":1,"b":[1,{"c":null}]}`, ` { "b":[1,{"c":null}], "a":1 } `, ""},
		{"a field", `{"a":1,"b":2}`, `{"a":1,"b":3}`, "changed b 2 3"},
		{"added and removed", `{"a":1}`, `{"b":"x"}`, `removed a 1 , added b  "x"`},
		{"null is something", `{"a":null}`, `{}`, "removed a null "},
		{"null to nothing of it", `{}`, `{"a":null}`, "added a  null"},
		{"deep", `{"a":{"b":{"c":true}}}`, `{"a":{"b":{"c":false}}}`, "changed a.b.c true false"},
		{"another type", `{"a":{"b":1}}`, `{"a":[1]}`, `changed a {"b":1} [1]`},
		{"a string is no number", `{"a":"1"}`, `{"a":1}`, `changed a "1" 1`},
		{"from nothing", ``, `{"a":1}`, `added   {"a":1}`},
		{"to nothing", `{"a":1}`, ``, `removed  {"a":1} `},
		{"nothing", ``, ``, ""},
		{"the whole", `1`, `2`, "changed  1 2"},
		{"appended", `{"l":[1,2]}`, `{"l":[1,2,3]}`, "added l[2]  3"},
		{"put first", `{"l":[1,2]}`, `{"l":[0,1,2]}`, "added l[0]  0"},
		{"taken from the middle", `{"l":[1,2,3]}`, `{"l":[1,3]}`, "removed l[1] 2 "},
		{"an element", `{"l":[{"n":1},{"n":2},{"n":3}]}`, `{"l":[{"n":1},{"n":9},{"n":3}]}`, "changed l[1].n 2 9"},
		{"all alike", `[1,1,1]`, `[1,1]`, "removed [2] 1 "},
		{"emptied", `[1,2]`, `[]`, "removed [0] 1 , removed [1] 2 "},
		{"replaced by more", `[1,2]`, `[3,4,5]`, "changed [0] 1 3, changed [1] 2 4, added [2]  5"},
		{"names with signs", `{"a.b":{"":1,"c\"d":1}}`, `{"a.b":{"":2,"c\"d":2}}`, `changed ["a.b"][""] 1 2, changed ["a.b"]["c\"d"] 1 2`},
		{"written otherwise", `{"a":1.0,"b":10,"s":"\u0061"}`, `{"a":1,"b":1e1,"s":"a"}`, ""},
		{"long integers", `{"a":9007199254740993}`, `{"a":9007199254740992}`, "changed a 9007199254740993 9007199254740992"},
		{"longer ones", `{"a":123456789012345678901}`, `{"a":123456789012345678902}`, "changed a 123456789012345678901 123456789012345678902"},
		{"no HTML", `{"a":"x"}`, `{"a":"<b>&"}`, `changed a "x" "<b>&"`},
		{"hidden alike", `{"card":"•••"}`, `{"card":"•••"}`, ""},
	}
	for _, tt := range tests {
		changes, more, err := api.Diff(json.RawMessage(tt.before), json.RawMessage(tt.after))
		var texts []string
		for _, c := range changes {
			texts = append(texts, fmt.Sprintf("%s %s %s %s", c.Kind, c.Path, c.Old, c.New))
		}
		if got := strings.Join(texts, ", "); err != nil || more || got != tt.want {
			t.Errorf("%s: got %q, %v, %v, want %q", tt.name, got, more, err, tt.want)
		}
	}
}

func TestDiffOfNoJSON(t *testing.T) {
	for _, bad := range [][2]string{{`{`, `{}`}, {`{}`, `x`}} {
		if _, _, err := api.Diff(json.RawMessage(bad[0]), json.RawMessage(bad[1])); !errors.Is(err, api.ErrInvalid) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestDiffEnds(t *testing.T) {
	var before, after []int
	for i := range 10 * api.MaxChanges {
		before, after = append(before, i), append(after, -1-i)
	}
	a, _ := json.Marshal(before)
	b, _ := json.Marshal(after)
	changes, more, err := api.Diff(a, b)
	if len(changes) != api.MaxChanges || !more || err != nil {
		t.Errorf("%d changes, %v, %v", len(changes), more, err)
	}
}
