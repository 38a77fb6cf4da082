package debezium

// ColumnFilter says which columns are in records' values; keys always have theirs.
type ColumnFilter struct {
	lists
	bySchema bool // names are schema.table.column, else catalog.table.column
}

// Visible says whether values have the column.
func (f *ColumnFilter) Visible(id TableID, column string) bool {
	if f.include == nil && f.exclude == nil {
		return true
	}
	if f.bySchema {
		id.Catalog = ""
	} else {
		id.Schema = ""
	}
	return f.allow(id.Column(column))
}
