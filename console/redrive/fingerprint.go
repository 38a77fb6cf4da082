package redrive

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strings"
)

// giver is who gave a message up: a consumer by name, or an outbox by its UUID.
type giver struct{ consumer, outbox string }

func (g giver) known() bool { return g.consumer != "" || g.outbox != "" }

// fingerprint names a kind of failure in a cluster: who gave up, the topic, and the
// error without what differs from one message to the next.
func fingerprint(cluster string, g giver, topic, reason string) string {
	h := sha256.New()
	for _, part := range []string{cluster, g.consumer, g.outbox, topic, normalise(reason)} {
		h.Write([]byte(part))
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil)[:10])
}

// normalForms replace what differs, in this order.
var normalForms = []struct {
	pattern *regexp.Regexp
	with    string
}{
	{regexp.MustCompile(`"[^"]*"`), `"…"`},
	{regexp.MustCompile("`[^`]*`"), "`…`"},
	{regexp.MustCompile(`“[^”]*”`), `"…"`},
	// An apostrophe within a word quotes nothing.
	{regexp.MustCompile(`(^|[^\pL\pN'])'[^']*'($|[^\pL\pN'])`), `$1'…'$2`},
	{regexp.MustCompile(`\b[a-zA-Z][a-zA-Z0-9+.-]*://[^\s"'<>)\]]+`), "<url>"},
	{regexp.MustCompile(`[\pL\pN._%+-]+@[\pL\pN-]+(\.[\pL\pN-]+)+`), "<mail>"},
	{regexp.MustCompile(`(?i)\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b`), "<id>"},
	{regexp.MustCompile(`\b\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}([.,]\d+)?)?\s?(Z|[+-]\d{2}:?\d{2})?`), "<time>"},
	{regexp.MustCompile(`\[[0-9a-fA-F:.%]*:[0-9a-fA-F:.%]*\](:\d+)?`), "<addr>"},
	{regexp.MustCompile(`\b([0-9a-fA-F]{1,4}:){3,7}:?[0-9a-fA-F]{1,4}\b`), "<addr>"},
	{regexp.MustCompile(`\b\d{1,3}(\.\d{1,3}){3}(:\d+)?`), "<addr>"},
	{regexp.MustCompile(`\b[a-zA-Z0-9][a-zA-Z0-9.-]*:\d{2,5}\b`), "<addr>"},
	{regexp.MustCompile(`\b0[xX][0-9a-fA-F]+\b`), "<hex>"},
	{regexp.MustCompile(`\b([a-f]*[0-9][0-9a-f]{7,}|[a-f][0-9a-f]*[0-9][0-9a-f]{6,}|[0-9a-f]{6,}[0-9][0-9a-f]+)\b`), "<hex>"},
	{regexp.MustCompile(`[+-]?\d+([.,]\d+)*`), "#"},
	{regexp.MustCompile(`\s+`), " "},
}

// maxNormal is how much of an error tells kinds apart, in bytes.
const maxNormal = 2000

// normalise leaves of an error what it has in common with others of its kind.
func normalise(reason string) string {
	reason = clean(reason, maxNormal)
	for _, f := range normalForms {
		reason = f.pattern.ReplaceAllString(reason, f.with)
	}
	return strings.TrimSpace(reason)
}

// clean makes a foreign text storable and bounds it, at a character.
func clean(s string, most int) string {
	cut := len(s) > most
	if cut {
		s = s[:most]
	}
	s = strings.ReplaceAll(strings.ToValidUTF8(s, ""), "\x00", "")
	if cut {
		s += "…"
	}
	return s
}
