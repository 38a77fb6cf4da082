package sqlite

import (
	"context"
	"fmt"
	"strings"
)

// index is its name and the statement that makes it.
type index struct{ name, text string }

// indexes of a table, without those that the table's statement makes.
func (tx *Tx) indexes(ctx context.Context, table string) (found []index, err error) {
	rows, err := tx.query(ctx, "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND tbl_name = $1 COLLATE NOCASE AND sql IS NOT NULL ORDER BY rowid",
		[]any{table})
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var i index
		if err := rows.Scan(&i.name, &i.text); err != nil {
			return nil, err
		}
		found = append(found, i)
	}
	return found, rows.Err()
}

// copyIndexes makes the same indexes on another table, of which an index's name
// tells.
func (tx *Tx) copyIndexes(ctx context.Context, indexes []index, table, suffix string) error {
	for _, i := range indexes {
		text, err := indexOn(i.text, i.name+suffix, table)
		if err != nil {
			return fmt.Errorf("index %s: %w", i.name, err)
		}
		if err := tx.script(ctx, text); err != nil {
			return err
		}
	}
	return nil
}

func (tx *Tx) dropIndexes(ctx context.Context, indexes []index) error {
	for _, i := range indexes {
		if err := tx.script(ctx, "DROP INDEX "+quoted(i.name)); err != nil {
			return err
		}
	}
	return nil
}

// indexOn is the statement of an index with another name and table. SQLite keeps
// it as it was given from the word CREATE on, without IF NOT EXISTS.
func indexOn(text, name, table string) (string, error) {
	head := []string{}
	rest := text
	for {
		word, after, ok := nextWord(rest)
		if !ok || len(head) == 6 {
			return "", fmt.Errorf("sqlite: the statement %q is not understood", text)
		}
		head, rest = append(head, word), after
		if n := len(head); n > 3 && strings.EqualFold(head[n-2], "ON") {
			break
		}
	}
	unique := ""
	if strings.EqualFold(head[1], "UNIQUE") {
		unique = "UNIQUE "
	}
	return "CREATE " + unique + "INDEX " + quoted(name) + " ON " + quoted(table) + rest, nil
}

// nextWord cuts a word or a quoted name, and the spaces and comments before it.
func nextWord(text string) (word, rest string, ok bool) {
	text = afterBlanks(text)
	if text == "" {
		return "", "", false
	}
	closing := map[byte]byte{'"': '"', '\'': '\'', '`': '`', '[': ']'}[text[0]]
	if closing == 0 {
		end := strings.IndexFunc(text, func(r rune) bool { return !isNamePart(r) })
		if end <= 0 {
			return "", "", false
		}
		return text[:end], text[end:], true
	}
	for i := 1; i < len(text); i++ {
		switch {
		case text[i] != closing:
		case closing != ']' && i+1 < len(text) && text[i+1] == closing:
			i++ // it stands for one
		default:
			return text[:i+1], text[i+1:], true
		}
	}
	return "", "", false
}

func isNamePart(r rune) bool {
	return r == '_' || r == '$' || r >= 0x80 || '0' <= r && r <= '9' || 'a' <= r|0x20 && r|0x20 <= 'z'
}

func afterBlanks(text string) string {
	for {
		text = strings.TrimLeft(text, " \t\r\n\f")
		closing, length := "", 0
		switch {
		case strings.HasPrefix(text, "--"):
			closing, length = "\n", 1
		case strings.HasPrefix(text, "/*"):
			closing, length = "*/", 2
		default:
			return text
		}
		end := strings.Index(text[2:], closing)
		if end < 0 {
			return ""
		}
		text = text[2+end+length:]
	}
}
