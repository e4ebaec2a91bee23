"""The task types of X: parameters, and one declaration each, from which REST, command line and documents come."""

from xget_sources.x.params import InWindow, Params, Targeted, Timed
from xget_sources.x.queries import Filtered, Search
from xget_sources.x.tasks.declared import ALIASES, TASK_TYPES, parameters_of
from xget_sources.x.tasks.places import Bookmarks, CommunityTweets, OfCommunity, OfList, Trends
from xget_sources.x.tasks.posts import OfPost, Quotes, TweetDetail, TweetReplies, TweetThread
from xget_sources.x.tasks.searches import HashtagSearch, KeywordSearch, UserSearch
from xget_sources.x.tasks.users import OfUser, UserAbout, UserInfo, UserList, UserMedia, UserReplies, UserTweets

__all__ = [
    "ALIASES",
    "TASK_TYPES",
    "Bookmarks",
    "CommunityTweets",
    "Filtered",
    "HashtagSearch",
    "InWindow",
    "KeywordSearch",
    "OfCommunity",
    "OfList",
    "OfPost",
    "OfUser",
    "Params",
    "Quotes",
    "Search",
    "Targeted",
    "Timed",
    "Trends",
    "TweetDetail",
    "TweetReplies",
    "TweetThread",
    "UserAbout",
    "UserInfo",
    "UserList",
    "UserMedia",
    "UserReplies",
    "UserSearch",
    "UserTweets",
    "parameters_of",
]
