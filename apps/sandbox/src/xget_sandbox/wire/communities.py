"""A community as X's GraphQL answers it."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Any

from xget_sandbox.wire.users import render_user
from xget_sandbox.world import World
from xget_sandbox.world.communities import RULES, Community
from xget_sandbox.world.model import Author

Json = dict[str, Any]
SHOWN = ("core", "id", "is_blue_verified", "verification")
LISTED = (
    "__typename", "affiliates_highlighted_label", "avatar", "id", "is_blue_verified", "privacy", "rest_id",
    "super_follow_eligible", "super_followed_by", "super_following", "verification",
)  # fmt: skip


def wrapped(community: Community, body: Json) -> Json:
    """A community's answer: what every one of its operations puts around its own part."""
    result = {"__typename": "Community", "id": _key("Community", community.id), **body}
    return {"data": {"communityResults": {"id": _key("CommunityResults", community.id), "result": result}}}


def render_community(world: World, community: Community) -> Json:
    """What CommunityQuery tells."""
    admin = render_user(world, world.authors[community.moderators[0]])
    creator = {"__typename": "User", **{name: admin[name] for name in SHOWN}}
    return {
        "actions": {
            "id": _key("CommunityActions", community.id),
            "join_action_result": {"__typename": "CommunityJoinAction"},
            "list_members_action_result": {"__typename": "CommunityListMembersAction"},
        },
        "created_at": community.created_ms,
        "creator_results": {"id": _key("UserResults", community.moderators[0]), "result": creator},
        "description": community.description,
        "invites_result": {"__typename": "CommunityInvitesUnavailable"},
        "is_member": False,
        "is_nsfw": False,
        "join_policy": "Open" if community.open else "RestrictedJoinRequestsRequireModeratorApproval",
        "join_requests_result": {"__typename": "CommunityJoinRequestsUnavailable"},
        "member_count": len(community.members),
        "moderator_count": len(community.moderators),
        "members_facepile_results": _faces(world, community.members[:5]),
        "name": community.name,
        "primary_community_topic": {"topic_id": str(community.id % 97), "topic_name": community.topic},
        "rest_id": str(community.id),
        "role": "NonMember",
        "rules": [_rule(community, place, rule) for place, rule in enumerate(RULES)],
        "trending_hashtags_slice": {"__typename": "CommunityHashtagSlice", "items": []},
    }


def render_member(world: World, community: Community, author: Author) -> Json:
    """One of `items_results`: less than elsewhere, among other things no time of creation."""
    user = render_user(world, author)
    result = {name: user[name] for name in LISTED} | {
        "community_role": community.role(author.id),
        "core": {"name": author.name, "screen_name": author.handle},
        "identity_profile_labels_highlighted_label": {},
        "legacy": {"follow_request_sent": False},
        "relationship_perspectives": {"blocking": False, "followed_by": False, "following": False},
    }
    return {"id": _key("UserResults", author.id), "result": result}


def render_slice(items: Iterable[Json], after: str | None) -> Json:
    """A page of members; at the end there is no `next_cursor`."""
    return {"items_results": list(items), "slice_info": {"next_cursor": after} if after else {}}


def belonging(community: Community) -> Json:
    """What a post carries that was written in a community."""
    state = {"moderation_state": {"__typename": "CommunityUserDefaultModerationState"}}
    return {
        "result": {
            "__typename": "Community",
            "id_str": str(community.id),
            "name": community.name,
            "viewer_relationship": state,
        }
    }


def _faces(world: World, members: Iterable[int]) -> list[Json]:
    made = []
    for one in members:
        user = render_user(world, world.authors[one])
        face = {"__typename": "User", "avatar": user["avatar"], "id": user["id"]}
        made.append({"id": _key("UserResults", one), "result": face})
    return made


def _rule(community: Community, place: int, rule: str) -> Json:
    number = community.id + 1 + place
    made: Json = {"id": _key("CommunityRule", number), "name": rule, "rest_id": str(number)}
    return made | {"description": "Else you will be removed."} if place == 1 else made


def _key(kind: str, number: int) -> str:
    return base64.b64encode(f"{kind}:{number}".encode()).decode()
