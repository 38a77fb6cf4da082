package postgres

import (
	"embed"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
)

//go:embed sql/*.sql
var sqlFiles embed.FS

// statement is one of the files of folder sql.
type statement int

var statementTexts []string

// statementFile registers a file; a missing one ends the program at its start.
func statementFile(name string) statement {
	text, err := sqlFiles.ReadFile("sql/" + name + ".sql")
	if err != nil {
		panic("postgres: " + err.Error())
	}
	statementTexts = append(statementTexts, withoutComments(string(text)))
	return statement(len(statementTexts) - 1)
}

// withoutComments drops lines that are comments, which the server need not read.
func withoutComments(text string) string {
	var kept []string
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(strings.TrimSpace(line), "--") {
			kept = append(kept, line)
		}
	}
	return strings.TrimSpace(strings.Join(kept, ""))
}

// names renders statements for one schema.
type names struct {
	prefix string // "schema". or nothing where the search path decides
	texts  []string
	emits  atomic.Bool // the last messages of the outbox had no rows
}

// searchPath is for transactions of which only the search path is known.
var searchPath = sync.OnceValue(func() *names { return newNames("") })

func newNames(schema string) *names {
	n := &names{}
	if schema != "" {
		n.prefix = pgx.Identifier{schema}.Sanitize() + "."
	}
	for _, text := range statementTexts {
		n.texts = append(n.texts, n.render(text))
	}
	return n
}

// placeholder is @name for a table of ours or Pekko's, and @'name' for a literal of
// it.
var placeholder = regexp.MustCompile(`@('?)([a-z]\w+)'?`)

func (n *names) render(text string) string {
	return placeholder.ReplaceAllStringFunc(text, func(found string) string {
		parts := placeholder.FindStringSubmatch(found)
		name := n.prefix + parts[2]
		if parts[1] == "" {
			return name
		}
		return "'" + strings.ReplaceAll(name, "'", "''") + "'"
	})
}

func (n *names) sql(s statement) string { return n.texts[s] }
