package replay

import (
	"cmp"
	"slices"
	"strings"
)

// folderWord stands for the folder of the run's files.
const folderWord = "<folder>"

// longest message that is compared word by word; a longer one tells details.
const longest = 160

// blanks are the keys whose values differ from run to run, or are told in other words.
var blanks = map[string]string{
	"worker_id":        "<worker>",
	"kafka_cluster_id": "<cluster>",
	"commit":           "<commit>",
	"version":          "<version>",
	"trace":            "<trace>",
	"documentation":    "<documentation>",
	"last_modified":    "<time>",
}

// blank replaces what cannot be compared, deep in a value.
func (r *replayer) blank(value any) any {
	switch v := value.(type) {
	case map[string]any:
		blanked := make(map[string]any, len(v))
		for key, inner := range v {
			if word, known := blanks[key]; known && (inner != nil || key == "version") { // it is null for a moment
				blanked[key] = word
				continue
			}
			if list, ok := inner.([]any); ok && key == "recommended_values" && len(list) > 0 { // what is installed
				blanked[key] = "<recommended>"
				continue
			}
			blanked[key] = r.blank(inner)
		}
		if list, ok := blanked["offsets"].([]any); ok { // the order is that of a hash table
			slices.SortFunc(list, func(a, b any) int { return cmp.Compare(oneLine(a), oneLine(b)) })
		}
		return blanked
	case []any:
		blanked := make([]any, len(v))
		for i, inner := range v {
			blanked[i] = r.blank(inner)
		}
		return blanked
	case string:
		if v == r.version {
			return blanks["version"]
		}
		v = strings.ReplaceAll(v, r.folder, folderWord)
		if len(v) > longest {
			return "<text>"
		}
		return v
	default:
		return value
	}
}
