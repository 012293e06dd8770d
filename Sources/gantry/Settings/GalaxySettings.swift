import Values

/// Settings of `gantry galaxy`.
extension Setting {
    static let roleSkeleton = Setting(
        "GALAXY_ROLE_SKELETON", ["galaxy.role_skeleton"], ["ANSIBLE_GALAXY_ROLE_SKELETON"], "",
        "a folder that new roles are made like", type: .path)
    static let roleSkeletonIgnore = Setting(
        "GALAXY_ROLE_SKELETON_IGNORE", ["galaxy.role_skeleton_ignore"], ["ANSIBLE_GALAXY_ROLE_SKELETON_IGNORE"],
        "^.git$, ^.*/.git_keep$", "regular expressions of what is not copied from there", type: .list)
    static let collectionSkeleton = Setting(
        "GALAXY_COLLECTION_SKELETON", ["galaxy.collection_skeleton"], ["ANSIBLE_GALAXY_COLLECTION_SKELETON"], "",
        "a folder that new collections are made like", type: .path)
    static let collectionSkeletonIgnore = Setting(
        "GALAXY_COLLECTION_SKELETON_IGNORE", ["galaxy.collection_skeleton_ignore"],
        ["ANSIBLE_GALAXY_COLLECTION_SKELETON_IGNORE"], "^.git$, ^.*/.git_keep$",
        "regular expressions of what is not copied from there", type: .list)

    static let ofGalaxy: [Setting] = [
        roleSkeleton, roleSkeletonIgnore, collectionSkeleton, collectionSkeletonIgnore,
    ]
}
