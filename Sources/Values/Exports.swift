// `Dict` is an `OrderedDictionary`: who imports Values can use its members without naming the package again.
@_exported public import OrderedCollections
