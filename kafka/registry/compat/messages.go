package compat

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/pabal-dev/pabal/kafka/registry/client"
)

// What a registry answers, Confluent's or one with its API, is made to be read by people.
var (
	difference = regexp.MustCompile(`(?s)^\{errorType:['"]([A-Z0-9_]+)['"], description:['"](.*?)['"](?:, additionalInfo:['"](.*)['"])?\}$`)
	version    = regexp.MustCompile(`^\{oldSchemaVersion: (\d+)\}$`)
	compared   = regexp.MustCompile(`^\{.*\bcompatibility: '([A-Z_]+)'\}$`)
)

// Reasons are what the messages of a registry's comparison say, for people: what the answer has beside
// them, such as the whole old schema, is left out.
func Reasons(messages []string) []string { return read(messages).Reasons }

func read(messages []string) Result {
	out := Result{Compatible: len(messages) == 0}
	for _, m := range messages {
		m = strings.TrimSpace(m)
		if found := difference.FindStringSubmatch(m); found != nil {
			out.Reasons = append(out.Reasons, reason(found[1], found[2], found[3]))
		} else if found := version.FindStringSubmatch(m); found != nil {
			out.Version = found[1]
		} else if found := compared.FindStringSubmatch(m); found != nil {
			out.Level = found[1]
		} else if !strings.HasPrefix(m, "{oldSchema: '") { // it is in the registry
			out.Reasons = append(out.Reasons, m)
		}
	}
	return out
}

func reason(kind, text, more string) string {
	if more != "" && !strings.Contains(text, more) {
		return fmt.Sprintf("%s: %s (%s)", kind, text, more)
	}
	return fmt.Sprintf("%s: %s", kind, text)
}

// References are NAME=SUBJECT:VERSION as a registry takes them, in the order of the names.
func References(byName map[string]string) ([]client.Reference, error) {
	var out []client.Reference
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		at := strings.LastIndexByte(byName[name], ':')
		if at < 1 {
			return nil, fmt.Errorf("%s=%s has no SUBJECT:VERSION", name, byName[name])
		}
		number, err := strconv.Atoi(byName[name][at+1:])
		if err != nil || number < 1 {
			return nil, fmt.Errorf("%s=%s: %q is no version", name, byName[name], byName[name][at+1:])
		}
		out = append(out, client.Reference{Name: name, Subject: byName[name][:at], Version: number})
	}
	return out, nil
}
